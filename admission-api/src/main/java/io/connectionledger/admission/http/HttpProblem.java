package io.connectionledger.admission.http;

import io.connectionledger.admission.http.port.HttpRefusal;
import org.jspecify.annotations.Nullable;

/** Why a request is not answered: an RFC 9457 problem, for the client. */
final class HttpProblem extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final int status;
  private final @Nullable String reason;
  private final @Nullable HttpRefusal refusal;

  /**
   * A problem.
   *
   * @param detail one line
   * @param reason in a word, for programs; null when the status says it all
   */
  HttpProblem(int status, String detail, @Nullable String reason) {
    this(status, detail, reason, null);
  }

  private HttpProblem(
      int status, String detail, @Nullable String reason, @Nullable HttpRefusal refusal) {
    super(detail, null, false, false);
    this.status = status;
    this.reason = reason;
    this.refusal = refusal;
  }

  /** One that is counted. */
  static HttpProblem of(HttpRefusal refusal, String detail) {
    return new HttpProblem(refusal.status(), detail, null, refusal);
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

  /** As what it is counted; null when it is not. */
  @Nullable HttpRefusal refusal() {
    return refusal;
  }
}
