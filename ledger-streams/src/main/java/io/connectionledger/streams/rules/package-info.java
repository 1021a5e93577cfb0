/**
 * The ledger's rules: pure, single-threaded, without Kafka or gRPC. Time is always an argument. The
 * caller is the single writer of a pool (docs/threading.md).
 */
@NullMarked
package io.connectionledger.streams.rules;

import org.jspecify.annotations.NullMarked;
