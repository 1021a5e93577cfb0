package io.connectionledger.model.view;

import org.jspecify.annotations.Nullable;

/**
 * All that the ledger has to say about a pool at one moment.
 *
 * @param staleMs how old it may be, when its owner could not be asked and a standby's copy speaks;
 *     null when it is the owner's word
 */
public record PoolReport(
    @Nullable Long staleMs,
    PoolView connections,
    PoolRejections rejections,
    PoolScaling scaling,
    PoolReadiness readiness) {}
