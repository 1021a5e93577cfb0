package io.connectionledger.streams.rules.connections;

import java.util.LinkedHashMap;

/**
 * Who owes the ledger the outcome of what was admitted through one listener of an Envoy. A check
 * says at which address the client reached its Envoy, not which Envoy that is; whoever reports a
 * connection that was admitted there is the one. What it does not report is held: the connection
 * may be open.
 */
final class Reporter {

  /** More than this of the last 64 outcomes missing, and its silence about one proves nothing. */
  static final int MAX_MISSING = 16;

  /** Where clients reached the Envoy, ip:port; empty for checks that do not say. */
  final String listener;

  /** Reservations that ended without an outcome and still hold their slot, oldest first. */
  final LinkedHashMap<String, Reservation> unreported = new LinkedHashMap<>();

  /** The node id of the Envoy behind it; empty while none has reported. */
  String node = "";

  /** Since when that one reports, on the lease clock. */
  long reportsSinceMs;

  /** When a check came through it last, on the lease clock. */
  long askedMs = Long.MIN_VALUE / 2;

  /** When an outcome was missed last, on the lease clock. */
  long missedMs = Long.MIN_VALUE / 2;

  /** When a slot was last freed to find out whether it reports, on the lease clock. */
  long probedMs = Long.MIN_VALUE / 2;

  boolean warned;

  /** A bit for each of the last outcomes due since it reports, set for one that did not come. */
  private long missing;

  Reporter(String listener) {
    this.listener = listener;
  }

  /** Whether checks through it may come from several Envoys. */
  boolean isShared() {
    return listener.isEmpty();
  }

  /** An Envoy has reported as open what was admitted here. */
  void reported(String by, long leaseNowMs) {
    boolean another = node.isEmpty() || (!isShared() && !node.equals(by));
    node = by;
    if (another) {
      reportsSinceMs = leaseNowMs;
      missing = 0;
      warned = false;
    } else {
      missing <<= 1;
    }
  }

  /**
   * Nobody has reported the outcome of something.
   *
   * @param admittedMs when it was admitted, on the lease clock
   */
  void missed(long admittedMs, long leaseNowMs) {
    missedMs = leaseNowMs;
    if (!node.isEmpty() && admittedMs >= reportsSinceMs) {
      missing = missing << 1 | 1;
    }
  }

  /** The Envoy behind it is gone. */
  void lost() {
    node = "";
  }

  /** Whether what it does not report for a whole round is not open. */
  boolean isTrusted() {
    return !node.isEmpty() && Long.bitCount(missing) <= MAX_MISSING;
  }
}
