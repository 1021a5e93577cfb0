package io.connectionledger.admission.http.port;

/**
 * Where a port of the HTTP API listens.
 *
 * @param bind an address of this machine or a name of one
 * @param port 0 for any free one
 */
public record HttpAddress(String bind, int port) {}
