/**
 * What the rest of the product asks of the ledger: {@link io.connectionledger.streams.Ledger} and
 * its four sides. Whoever starts one uses {@link io.connectionledger.streams.local.LocalLedger} and
 * {@link io.connectionledger.streams.topology.LedgerStreams}, whoever asks about the past {@link
 * io.connectionledger.streams.history.Replay}.
 */
@NullMarked
package io.connectionledger.streams;

import org.jspecify.annotations.NullMarked;
