/**
 * A Kafka Streams topology that keeps every pool's open connections, and what admission asks it:
 * {@link io.connectionledger.streams.Ledger}. Nothing else here is for other modules, save {@link
 * io.connectionledger.streams.LocalLedger} and {@link io.connectionledger.streams.LedgerStreams}
 * for whoever starts them, and {@link io.connectionledger.streams.Replay} for whoever asks about
 * the past.
 */
@NullMarked
package io.connectionledger.streams;

import org.jspecify.annotations.NullMarked;
