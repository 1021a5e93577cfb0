package io.connectionledger.streams.rules.placement;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Which pod a client belongs to: multi-probe consistent hashing (Appleton and O'Reilly, 2015). Each
 * pod has a few points on a circle, a key is probed at many places, and the pod with the point that
 * follows one of them soonest has it. A pod that joins takes its share of the keys from the others,
 * one that leaves gives its own to them, and no other key moves; the largest share is about a tenth
 * above the mean. The answer depends on nothing but the addresses of the pods and the key, costs
 * O(log pods) and allocates nothing.
 */
final class ConsistentHash {

  private static final int PROBES = 21;

  /** One would do but for the few pods whose only point comes soon after another's. */
  private static final int POINTS = 4;

  /** Of a longer key only so many characters count, so that nobody makes us work by sending one. */
  static final int MAX_KEY_LENGTH = 1_024;

  private static final long FNV_OFFSET = 0xcbf29ce484222325L;
  private static final long FNV_PRIME = 0x100000001b3L;
  private static final long GOLDEN_RATIO = 0x9e3779b97f4a7c15L;

  private long[] points = {};
  private PodState[] pods = {};

  /** Makes these the pods of the circle. */
  void place(List<PodState> members) {
    record Point(long at, PodState pod) {}
    List<Point> sorted =
        members.stream()
            .flatMap(
                pod -> {
                  long hash = hash(pod.address.toString());
                  return LongStream.range(0, POINTS)
                      .mapToObj(i -> new Point(mix(hash + i * GOLDEN_RATIO), pod));
                })
            .sorted(Comparator.comparingLong(Point::at))
            .toList();
    points = sorted.stream().mapToLong(Point::at).toArray();
    pods = sorted.stream().map(Point::pod).toArray(PodState[]::new);
  }

  boolean isEmpty() {
    return pods.length == 0;
  }

  /**
   * The pod of a key. Must not be called when there is none.
   *
   * @param choice 0 for its first, 1 for its second and so on; a pod may come up more than once
   */
  PodState pod(long keyHash, int choice) {
    long probe = mix(keyHash + choice * GOLDEN_RATIO);
    long nearest = -1;
    int winner = 0;
    for (int i = 0; i < PROBES; i++) {
      probe = mix(probe + GOLDEN_RATIO);
      int index = successor(probe);
      // Distances on the circle are unsigned: the subtraction wraps around with it.
      long distance = points[index] - probe;
      if (Long.compareUnsigned(distance, nearest) < 0) {
        nearest = distance;
        winner = index;
      }
    }
    return pods[winner];
  }

  private int successor(long probe) {
    int found = Arrays.binarySearch(points, probe);
    int index = found < 0 ? -found - 1 : found;
    return index == points.length ? 0 : index;
  }

  /** A hash of 64 bits whose every bit depends on every character. */
  static long hash(String text) {
    long hash = FNV_OFFSET;
    int length = Math.min(text.length(), MAX_KEY_LENGTH);
    for (int i = 0; i < length; i++) {
      hash = (hash ^ text.charAt(i)) * FNV_PRIME;
    }
    return mix(hash);
  }

  /** The finalizer of SplitMix64. */
  private static long mix(long value) {
    long z = value;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
