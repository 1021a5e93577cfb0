package io.connectionledger.app.demo;

/**
 * Where a running ledger listens on the loopback.
 *
 * @param als for access logs
 * @param authz for checks
 * @param xds for pods
 * @param http for the query API and metrics
 */
public record LedgerPorts(int als, int authz, int xds, int http) {}
