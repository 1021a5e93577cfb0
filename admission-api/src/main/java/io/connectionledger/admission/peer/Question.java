package io.connectionledger.admission.peer;

import org.jspecify.annotations.Nullable;

/**
 * What a check asks the ledger.
 *
 * @param pool as the check names it
 * @param key what the client is known by; null when it is not
 * @param listener where the client reached its Envoy, ip:port; null when the check does not say
 */
public record Question(String pool, @Nullable String key, @Nullable String listener) {}
