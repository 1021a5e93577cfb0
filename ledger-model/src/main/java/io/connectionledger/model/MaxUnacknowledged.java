package io.connectionledger.model;

/**
 * How much may be unknown of an owner that died: with durability {@code fast} admission answers
 * before a decision is recorded, but of each pod no more than this at a time, and who takes over
 * without the last word of the owner before holds as much back until all of it has shown.
 */
public final class MaxUnacknowledged {

  private static final int SHARE = 10;

  private MaxUnacknowledged() {}

  /**
   * Of one pod: a tenth of what it may hold, and at least one.
   *
   * @param limit open and reserved connections that the pod may hold
   */
  public static int most(int limit) {
    return Math.max(1, limit / SHARE);
  }
}
