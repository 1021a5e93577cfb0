package io.connectionledger.streams.rules.placement;

import io.connectionledger.streams.rules.state.StoredCircuitBreaker;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Whether a pod is believed to take connections, by what became of the last ones.
 *
 * <pre>
 *       {@link #FAILURES} in a row, of several sources          back-off over
 *   CLOSED ────────────────────────────▶ OPEN ─────────────────────────────────▶ HALF-OPEN
 *     ▲                                   ▲ │                                        │
 *     │              a success            │ │                                        │ a probe begins
 *     └───────────────────────────────────┼─┘◀───────────────────────────────────────┘
 *                                         └── the probe failed: the back-off doubles
 * </pre>
 *
 * A probe that nobody hears of any more is followed by another after the next back-off. Times are
 * those of the records, in milliseconds since the epoch, so that records which come twice or late
 * leave the circuit as they found it. Not thread-safe.
 */
public final class CircuitBreaker {

  /** So many failed handshakes without a success between them open it. */
  public static final int FAILURES = 5;

  public static final long FIRST_BACKOFF_MS = 1_000;
  static final long MAX_BACKOFF_MS = 60_000;

  private static final int MAX_DOUBLINGS = 6;

  /** In a row, while it is closed. */
  private int failures;

  /** Whether they are more than one client's, or such as no client causes. */
  private boolean corroborated;

  private @Nullable String lastSource;

  /** How often it opened since the last success; 0 while it is closed. */
  private int opened;

  private long openedMs;
  private long probeMs;
  private boolean halfOpen;
  private long succeededMs = Long.MIN_VALUE;

  public boolean isOpen() {
    return opened > 0;
  }

  /** Whether the next connection may be a probe. */
  boolean isHalfOpen() {
    return halfOpen;
  }

  /** When the next probe may begin; means nothing while it is closed. */
  long probeMs() {
    return probeMs;
  }

  /**
   * A handshake failed by the pod's fault.
   *
   * @param source who says so; one source alone opens nothing. Null where it speaks for itself
   * @param mayOpen whether it may open now if it is closed
   * @return whether this opened it, or opened it again
   */
  boolean failed(long atMs, @Nullable String source, BooleanSupplier mayOpen) {
    if (atMs < succeededMs) {
      return false;
    }
    if (opened == 0
        ? !isEnough(source) || !mayOpen.getAsBoolean()
        : atMs < openedMs + backoffMs(opened)) {
      // Too few, or admitted before it opened: those failures say nothing new.
      return false;
    }
    opened = Math.min(opened + 1, MAX_DOUBLINGS + 1);
    openedMs = atMs;
    forget();
    halfOpen = false;
    probeMs = atMs + backoffMs(opened);
    return true;
  }

  private boolean isEnough(@Nullable String source) {
    failures = Math.min(failures + 1, FAILURES);
    corroborated |= source == null || (lastSource != null && !lastSource.equals(source));
    lastSource = source;
    return failures == FAILURES && corroborated;
  }

  private void forget() {
    failures = 0;
    corroborated = false;
    lastSource = null;
  }

  /**
   * A handshake succeeded.
   *
   * @return whether this closed it
   */
  boolean succeeded(long atMs) {
    if (opened > 0 && atMs < openedMs) {
      return false;
    }
    succeededMs = Math.max(succeededMs, atMs);
    forget();
    boolean closed = opened > 0;
    opened = 0;
    halfOpen = false;
    return closed;
  }

  /** The back-off is over. */
  void halfOpen() {
    halfOpen = true;
  }

  /** Lets no probe begin before {@code atMs}. */
  void waitUntil(long atMs) {
    halfOpen = false;
    probeMs = atMs;
  }

  /** The next connection is the probe; as if it failed, until it is known to have succeeded. */
  void probe(long nowMs) {
    waitUntil(nowMs + backoffMs(Math.min(opened + 1, MAX_DOUBLINGS + 1)));
  }

  /**
   * Keeps a record whose clock ran ahead of ours from holding it open for longer than any other.
   */
  void bound(long nowMs) {
    if (probeMs > nowMs + MAX_BACKOFF_MS) {
      openedMs = Math.min(openedMs, nowMs);
      waitUntil(nowMs + backoffMs(opened));
    }
  }

  /** What {@link #restore} needs to open it again; for an open one. */
  StoredCircuitBreaker stored() {
    return new StoredCircuitBreaker(opened, openedMs);
  }

  void restore(StoredCircuitBreaker stored) {
    opened = Math.clamp(stored.opened(), 0, MAX_DOUBLINGS + 1);
    openedMs = stored.openedMs();
    forget();
    waitUntil(openedMs + backoffMs(opened));
  }

  private static long backoffMs(int opened) {
    return Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS << Math.max(0, opened - 1));
  }
}
