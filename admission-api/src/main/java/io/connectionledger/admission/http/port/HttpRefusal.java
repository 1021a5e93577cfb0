package io.connectionledger.admission.http.port;

import java.util.Locale;
import org.eclipse.jetty.http.HttpStatus;

/** Why a request was refused without being looked into: {@code ledger_http_refused_total}. */
public enum HttpRefusal {
  /** No token, or one that is wrong. */
  UNAUTHORIZED(HttpStatus.UNAUTHORIZED_401),
  /** A token whose role does not suffice. */
  FORBIDDEN(HttpStatus.FORBIDDEN_403),
  /** A write of a browser for another site. */
  CROSS_SITE(HttpStatus.FORBIDDEN_403),
  /** A write elsewhere than on the admin port. */
  NOT_ADMIN_PORT(HttpStatus.FORBIDDEN_403),
  /** A host by whose name nobody reaches this instance. */
  HOST(HttpStatus.MISDIRECTED_REQUEST_421),
  QUERY_TOO_LONG(HttpStatus.URI_TOO_LONG_414),
  HEAD_TOO_LARGE(HttpStatus.REQUEST_HEADER_FIELDS_TOO_LARGE_431),
  HEAD_TOO_SLOW(HttpStatus.REQUEST_TIMEOUT_408),
  BODY_TOO_LARGE(HttpStatus.PAYLOAD_TOO_LARGE_413),
  BODY_TOO_SLOW(HttpStatus.REQUEST_TIMEOUT_408),
  /** Everything that works on requests is busy, and enough wait. */
  BUSY(HttpStatus.SERVICE_UNAVAILABLE_503),
  /** One more reader of event streams than an instance has. */
  READERS(HttpStatus.SERVICE_UNAVAILABLE_503),
  /** The client did not take its answer; its connection was closed. */
  ANSWER_TOO_SLOW(HttpStatus.REQUEST_TIMEOUT_408),
  /** One connection too many, which was closed. */
  CONNECTIONS(HttpStatus.SERVICE_UNAVAILABLE_503),
  /** One too many from one address, which was closed. */
  CONNECTIONS_OF_ADDRESS(HttpStatus.SERVICE_UNAVAILABLE_503);

  private final int status;

  HttpRefusal(int status) {
    this.status = status;
  }

  /** What the client is answered where it can be. */
  public int status() {
    return status;
  }

  /** In the metric. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
