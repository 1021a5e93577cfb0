package io.connectionledger.admission.stream;

import org.jspecify.annotations.Nullable;

/**
 * Why a pool cannot be followed.
 *
 * @param status of HTTP
 * @param detail one line
 * @param reason in a word, for programs; null when the status says it all
 */
public record Refusal(int status, String detail, @Nullable String reason) {

  Refusal(int status, String detail) {
    this(status, detail, null);
  }
}
