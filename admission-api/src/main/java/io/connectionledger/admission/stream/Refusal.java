package io.connectionledger.admission.stream;

/**
 * Why a pool cannot be followed.
 *
 * @param status of HTTP
 * @param detail one line
 */
public record Refusal(int status, String detail) {}
