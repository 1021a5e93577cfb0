package io.connectionledger.streams.rules.state;

/**
 * An open circuit as the state store keeps it; a closed one is not stored.
 *
 * @param opened how often it opened since the last success, which is what the back-off depends on
 * @param openedMs when it opened last, milliseconds since the epoch
 */
public record StoredCircuitBreaker(int opened, long openedMs) {}
