package io.connectionledger.model.view;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;

/**
 * What happened in a pool within the last hour, in buckets of equal length, oldest first. The last
 * bucket is still being filled.
 *
 * @param asOfMs milliseconds since the epoch
 * @param fromMs where the first bucket begins
 * @param active how many connections were open at the end of each bucket: counted back from now by
 *     what was opened and closed, so that what ended unheard shows where it was found out. What was
 *     given up and then found alive has been closed once and not opened again: what is before it is
 *     too high by it
 * @param opened admitted and established
 * @param failed admitted, and not established
 * @param rejected by reason; a reason without rejections is not there
 */
public record PoolHistory(
    String pool,
    long asOfMs,
    long fromMs,
    long bucketMs,
    List<Long> active,
    List<Long> opened,
    List<Long> closed,
    List<Long> failed,
    SortedMap<String, List<Long>> rejected) {

  /** The counts of a pool that now has {@code activeNow} open connections. */
  public static PoolHistory of(
      String pool,
      long asOfMs,
      long fromMs,
      long bucketMs,
      long activeNow,
      List<Long> opened,
      List<Long> closed,
      List<Long> failed,
      SortedMap<String, List<Long>> rejected) {
    List<Long> active = new ArrayList<>();
    long open = activeNow;
    for (int bucket = opened.size() - 1; bucket >= 0; bucket--) {
      active.add(Math.max(0, open));
      open -= opened.get(bucket) - closed.get(bucket);
    }
    Collections.reverse(active);
    return new PoolHistory(
        pool, asOfMs, fromMs, bucketMs, active, opened, closed, failed, rejected);
  }
}
