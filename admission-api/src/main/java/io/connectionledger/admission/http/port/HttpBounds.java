package io.connectionledger.admission.http.port;

import java.time.Duration;

/** What one instance bears over HTTP; beyond it a request is refused and counted. */
public final class HttpBounds {

  /** Longer than the head of any request that Envoy passes on, 60 KiB. */
  public static final int MAX_HEAD_BYTES = 80 << 10;

  /** From the first byte of a head to its last. */
  public static final Duration HEAD_TIMEOUT = Duration.ofSeconds(10);

  /** Of a request to the API; a check has that of whatever request Envoy asks about. */
  public static final int MAX_QUERY_CHARS = 4_096;

  public static final int MAX_BODY_BYTES = 1_000_000;

  /** For a whole body, however fast it comes. */
  public static final Duration BODY_TIMEOUT = Duration.ofSeconds(20);

  /** On the average, once {@link #BODY_GRACE} is over. */
  public static final int MIN_BODY_BYTES_PER_SECOND = 1_024;

  public static final Duration BODY_GRACE = Duration.ofSeconds(3);

  /** For a client to take an answer; event streams have limits of their own. */
  public static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(30);

  /** Of a connection on which nothing happens, which is how one that is half open ends. */
  public static final Duration IDLE_TIMEOUT = Duration.ofSeconds(30);

  /** To one port; more than the readers of events that an instance takes. */
  public static final int MAX_CONNECTIONS = 2_048;

  /** One address has this share of a port's connections at most: a half. */
  public static final int ADDRESS_SHARE = 2;

  /** To the port of the probes. */
  public static final int MAX_PROBE_CONNECTIONS = 64;

  /** Requests that are worked on at a time. */
  public static final int WORKERS = 64;

  /** Requests that wait for a worker. */
  public static final int WAITING = 256;

  private HttpBounds() {}
}
