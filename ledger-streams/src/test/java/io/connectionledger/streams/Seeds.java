package io.connectionledger.streams;

import java.util.stream.LongStream;

/**
 * The seeds of random runs: {@code -Dledger.seed=N} replays one, {@code -Dledger.seeds=N} runs
 * another number of them.
 */
public final class Seeds {

  private Seeds() {}

  /** From 0 on, as many as usual unless the properties say otherwise. */
  public static LongStream usually(int count) {
    Long only = Long.getLong("ledger.seed");
    return only == null
        ? LongStream.range(0, Integer.getInteger("ledger.seeds", count))
        : LongStream.of(only);
  }

  /** Whether one run alone is replayed. */
  public static boolean isReplay() {
    return Long.getLong("ledger.seed") != null;
  }

  /** How to see a run again. */
  public static String replay(long seed) {
    return "replay with -Dledger.seed=" + seed;
  }
}
