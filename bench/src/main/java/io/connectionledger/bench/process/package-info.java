/** Processes to measure, and what they cost. */
@NullMarked
package io.connectionledger.bench.process;

import org.jspecify.annotations.NullMarked;
