package io.connectionledger.admission.http;

import org.jspecify.annotations.Nullable;

/** Why a request is not answered: an RFC 9457 problem, for the client. */
final class HttpProblem extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final int status;
  private final @Nullable String reason;

  /**
   * A problem.
   *
   * @param detail one line
   * @param reason in a word, for programs; null when the status says it all
   */
  HttpProblem(int status, String detail, @Nullable String reason) {
    super(detail, null, false, false);
    this.status = status;
    this.reason = reason;
  }

  HttpProblem(int status, String detail) {
    this(status, detail, null);
  }

  int status() {
    return status;
  }

  String detail() {
    return String.valueOf(getMessage());
  }

  @Nullable String reason() {
    return reason;
  }
}
