package io.connectionledger.kubernetes.pool;

import org.jspecify.annotations.Nullable;

/**
 * What the ledger makes of one ConnectionPool.
 *
 * @param reason why
 * @param message one line for the operator
 * @param inForce what the ledger goes by: the resource's spec when it is accepted, else the one
 *     that was accepted last; null when there is none
 */
public record Verdict(Reason reason, String message, @Nullable PoolResource inForce) {

  /** Whether and why a spec is accepted. */
  public enum Reason {
    ACCEPTED("Accepted"),
    /** It is wrong in itself. */
    INVALID("Invalid"),
    /** Another pool has what it claims. */
    CONFLICTED("Conflicted");

    private final String label;

    Reason(String label) {
      this.label = label;
    }

    /** The reason of the condition. */
    public String label() {
      return label;
    }
  }

  public boolean isAccepted() {
    return reason == Reason.ACCEPTED;
  }
}
