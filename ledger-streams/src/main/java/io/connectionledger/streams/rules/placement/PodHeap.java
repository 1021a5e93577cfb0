package io.connectionledger.streams.rules.placement;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The pods that may take connections, emptiest first, as a binary heap that knows where each pod
 * stands: every change costs O(log pods) and allocates nothing.
 */
final class PodHeap {

  private @Nullable PodState[] heap = new PodState[8];
  private int size;

  /** The pod that holds the fewest connections, of several the one chosen longest ago. */
  @Nullable PodState emptiest() {
    return size == 0 ? null : heap[0];
  }

  /** Puts a pod where its counts say, whether it is in the heap or not. */
  void put(PodState pod) {
    if (pod.heapIndex == PodState.NOT_PLACEABLE) {
      add(pod);
    } else {
      siftUp(pod);
      siftDown(pod);
    }
  }

  private void add(PodState pod) {
    if (size == heap.length) {
      heap = Arrays.copyOf(heap, size * 2);
    }
    pod.heapIndex = size;
    heap[size++] = pod;
    siftUp(pod);
  }

  /** Does nothing for a pod that is not in the heap. */
  void remove(PodState pod) {
    int index = pod.heapIndex;
    if (index == PodState.NOT_PLACEABLE) {
      return;
    }
    PodState last = at(--size);
    heap[size] = null;
    pod.heapIndex = PodState.NOT_PLACEABLE;
    if (last != pod) {
      last.heapIndex = index;
      heap[index] = last;
      siftUp(last);
      siftDown(last);
    }
  }

  void clear() {
    for (int i = 0; i < size; i++) {
      at(i).heapIndex = PodState.NOT_PLACEABLE;
    }
    Arrays.fill(heap, null);
    size = 0;
  }

  private void siftUp(PodState pod) {
    while (pod.heapIndex > 0) {
      PodState parent = at((pod.heapIndex - 1) >>> 1);
      if (!before(pod, parent)) {
        return;
      }
      swap(pod, parent);
    }
  }

  private void siftDown(PodState pod) {
    while (true) {
      int left = 2 * pod.heapIndex + 1;
      if (left >= size) {
        return;
      }
      int right = left + 1;
      PodState child = right < size && before(at(right), at(left)) ? at(right) : at(left);
      if (!before(child, pod)) {
        return;
      }
      swap(pod, child);
    }
  }

  private PodState at(int index) {
    PodState pod = heap[index];
    if (pod == null) {
      throw new IllegalStateException("hole in the heap at " + index + " of " + size);
    }
    return pod;
  }

  private void swap(PodState a, PodState b) {
    int index = a.heapIndex;
    a.heapIndex = b.heapIndex;
    b.heapIndex = index;
    heap[a.heapIndex] = a;
    heap[b.heapIndex] = b;
  }

  private static boolean before(PodState a, PodState b) {
    return a.held() != b.held() ? a.held() < b.held() : a.lastChosen < b.lastChosen;
  }
}
