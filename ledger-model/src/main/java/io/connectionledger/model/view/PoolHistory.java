package io.connectionledger.model.view;

import java.util.List;
import java.util.SortedMap;

/**
 * What happened in a pool within the last hour, in buckets of equal length, oldest first. The last
 * bucket is still being filled.
 *
 * @param asOfMs milliseconds since the epoch
 * @param fromMs where the first bucket begins
 * @param active how many connections were open at the end of each bucket. Of a time in which no
 *     owner wrote that down, it is counted back by what was opened and closed
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
    SortedMap<String, List<Long>> rejected) {}
