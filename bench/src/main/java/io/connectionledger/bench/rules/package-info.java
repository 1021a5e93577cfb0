/** Measures the rules of a pool alone: no Kafka, no network. */
@NullMarked
package io.connectionledger.bench.rules;

import org.jspecify.annotations.NullMarked;
