package io.connectionledger.admission.decisionlog;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.PoolPolicy.Mode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a flood of rejections from being a flood of records. The first {@link #RECORDS} of a pool
 * in each second have a record each; the others are counted by all that anybody counts them by, and
 * become one record for each second and kind. None is left out, and none counted twice.
 * Thread-safe.
 */
final class RejectionCounts {

  /** Of one pool in a second: ordinary days have far fewer. */
  static final int RECORDS = 1_000;

  private static final long SECOND_MS = 1_000;

  /** Guarded by this, as the next. */
  private final Map<String, Recorded> recorded = new LinkedHashMap<>();

  private final Map<Kind, Sum> sums = new LinkedHashMap<>();

  /** How many of a pool have had a record, and in which second. */
  private static final class Recorded {
    long second;
    int count;
  }

  /** What is counted together; a second lies in one bucket of the history. */
  private record Kind(
      String pool,
      RejectionReason reason,
      @Nullable PodAddress pod,
      @Nullable Mode mode,
      long second) {

    static Kind of(Decision.Rejected one) {
      return new Kind(
          one.pool(), one.reason(), one.pod(), one.mode(), Math.floorDiv(one.atMs(), SECOND_MS));
    }
  }

  private static final class Sum {
    private Decision.Rejected last;
    private long firstMs;
    private int count;

    Sum(Decision.Rejected first) {
      last = first;
      firstMs = first.atMs();
    }

    void add(Decision.Rejected one) {
      count++;
      firstMs = Math.min(firstMs, one.atMs());
      if (one.atMs() >= last.atMs()) {
        last = one;
      }
    }

    Decision.Rejected asOne() {
      return last.lastOf(count, firstMs);
    }
  }

  /**
   * Counts a rejection that is to have no record of its own.
   *
   * @param behind whether there is no room for any
   * @return whether it was counted; otherwise it is to be recorded
   */
  synchronized boolean take(Decision.Rejected rejected, boolean behind, long nowMs) {
    Recorded ofPool = recorded.computeIfAbsent(rejected.pool(), first -> new Recorded());
    long second = Math.floorDiv(nowMs, SECOND_MS);
    if (second != ofPool.second) {
      ofPool.second = second;
      ofPool.count = 0;
    }
    if (!behind && ofPool.count < RECORDS) {
      ofPool.count++;
      return false;
    }
    sums.computeIfAbsent(Kind.of(rejected), first -> new Sum(rejected)).add(rejected);
    return true;
  }

  /** Takes out what was counted in the seconds that are over at {@code nowMs}. */
  synchronized List<Decision.Rejected> before(long nowMs) {
    long second = Math.floorDiv(nowMs, SECOND_MS);
    recorded.values().removeIf(ofPool -> ofPool.second < second);
    List<Decision.Rejected> over = new ArrayList<>();
    for (Iterator<Map.Entry<Kind, Sum>> all = sums.entrySet().iterator(); all.hasNext(); ) {
      Map.Entry<Kind, Sum> next = all.next();
      if (next.getKey().second < second) {
        over.add(next.getValue().asOne());
        all.remove();
      }
    }
    return over;
  }
}
