/**
 * What if: the recorded attempts of a window decided again with other limits, by the rules of the
 * live ledger. {@link io.connectionledger.streams.simulation.TopicSimulations} runs it.
 */
@NullMarked
package io.connectionledger.streams.simulation;

import org.jspecify.annotations.NullMarked;
