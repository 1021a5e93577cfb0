package io.connectionledger.streams.rules;

import org.jspecify.annotations.Nullable;

/** How many slots an owner lends. */
final class Lending {

  /** What a borrower has use for: two admissions a second until the pool is owned again. */
  private static final int MOST = 20;

  /** Of the room, no more than a quarter is lent. */
  private static final int SHARE_OF_ROOM = 4;

  /** However little room there is, a hundredth of the whole may stay lent. */
  private static final int SHARE_OF_ALL = 100;

  private Lending() {}

  /**
   * How many slots one borrower may have.
   *
   * @param capacity connections that the pods may hold together
   * @param room how many of them are free or lent
   * @param borrowers at least 1
   */
  static int most(long capacity, long room, int borrowers) {
    long all = Math.max(room / SHARE_OF_ROOM, capacity / SHARE_OF_ALL);
    return Math.clamp(all / borrowers, 0, MOST);
  }

  /**
   * Whether another token may be lent: the bucket is at least half full without it.
   *
   * @param tokens null without a rate limit
   */
  static boolean affords(@Nullable Double tokens, int burst) {
    return tokens == null || tokens - 1 >= burst / 2.0;
  }
}
