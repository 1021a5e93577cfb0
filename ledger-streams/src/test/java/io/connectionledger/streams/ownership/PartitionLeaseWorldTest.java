package io.connectionledger.streams.ownership;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.event.OwnershipHeartbeat;
import io.connectionledger.streams.ownership.PartitionLease.Candidacy;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Random worlds of instances that freeze, die, come back, write late, read late, believe to have
 * the task when they have not, and whose clocks differ and drift: never do two decide at once, and
 * in the end one does. {@code -Dledger.seeds=N} runs more of them.
 */
class PartitionLeaseWorldTest {

  private static final int STEP_MS = 50;
  private static final int STEPS = 2_400;
  private static final int CALM_STEPS = 600;

  @Test
  void shouldNeverHaveTwoOwnersAndHaveOneInTheEnd() {
    for (int seed = 0; seed < Integer.getInteger("ledger.seeds", 400); seed++) {
      new World(seed).run();
    }
  }

  private static final class World {
    private final int seed;
    private final Random random;
    private final List<OwnershipHeartbeat> log = new ArrayList<>();
    private final List<Node> nodes;
    private long nowMs = 1_800_000_000_000L;
    private int assigned;
    private int decided;

    World(int seed) {
      this.seed = seed;
      random = new Random(seed);
      nodes =
          new ArrayList<>(
              IntStream.range(0, 2 + random.nextInt(3))
                  .mapToObj(i -> new Node("n" + i, 0))
                  .toList());
    }

    void run() {
      for (int step = 0; step < STEPS; step++) {
        if (random.nextInt(40) == 0) {
          fault();
        }
        pass(false);
      }
      for (int step = 0; step < CALM_STEPS; step++) {
        pass(true);
      }
      assertThat(nodes.stream().filter(Node::decides)).as("owners in the end, %s", seed).hasSize(1);
      assertThat(decided).as("decided, %s", seed).isPositive();
    }

    private void fault() {
      Node node = nodes.get(random.nextInt(nodes.size()));
      switch (random.nextInt(4)) {
        case 0 -> node.frozenUntilMs = nowMs + random.nextInt(20_000);
        case 1 -> nodes.set(nodes.indexOf(node), new Node(node.name, node.runs + 1));
        case 2 -> node.writesLateByMs = random.nextInt(5_000);
        default -> assigned = random.nextInt(nodes.size());
      }
    }

    private void pass(boolean calm) {
      nowMs += STEP_MS;
      List<String> deciding = new ArrayList<>();
      for (int i = 0; i < nodes.size(); i++) {
        Node node = nodes.get(i);
        if (calm) {
          node.frozenUntilMs = 0;
          node.writesLateByMs = 0;
        }
        if (nowMs >= node.frozenUntilMs) {
          // Asked before anything else is done: a check may be the first to run after a freeze.
          if (node.decides()) {
            deciding.add(node.name);
          }
          node.pass(i == assigned, calm);
        }
        node.deliver();
      }
      decided += deciding.size();
      assertThat(deciding).as("who decides, seed %s at %s", seed, nowMs).hasSizeLessThan(2);
    }

    private final class Node {
      final String name;
      final int runs;
      final PartitionLease lease;
      final long offsetNanos = random.nextLong(1_000_000_000_000_000L);
      final double rate = 1 + (random.nextDouble() - 0.5) / 500;
      final Deque<OwnershipHeartbeat> unwritten = new ArrayDeque<>();
      final Deque<Long> unwrittenDueMs = new ArrayDeque<>();
      long frozenUntilMs;
      long writesLateByMs;
      long decidesUntilNanos;
      int read;
      boolean hasTask;
      Candidacy candidacy = new Candidacy(nanos -> {});

      Node(String name, int runs) {
        this.name = name;
        this.runs = runs;
        this.lease = new PartitionLease(name, name + '-' + runs);
      }

      long nowNanos() {
        return offsetNanos + (long) (nowMs * 1e6 * rate);
      }

      boolean decides() {
        return candidacy.won().isDone() && nowNanos() < decidesUntilNanos;
      }

      void pass(boolean mine, boolean calm) {
        // News of the assignment is late, so two may believe to have the task.
        if (mine != hasTask && (calm || random.nextInt(20) == 0)) {
          hasTask = mine;
          if (mine) {
            resign(lease.end(candidacy) ? candidacy : null);
            candidacy = new Candidacy(nanos -> decidesUntilNanos = nanos);
            lease.stand(candidacy);
          } else {
            lease.leave(candidacy, nowNanos());
          }
        }
        if (hasTask && lease.mayStandAgain(candidacy, nowNanos())) {
          candidacy = new Candidacy(nanos -> decidesUntilNanos = nanos);
          lease.stand(candidacy);
        }
        int upTo = calm || random.nextInt(4) > 0 ? log.size() : read;
        while (read < upTo) {
          resign(lease.read(log.get(read++), nowNanos()));
        }
        if (read == log.size()) {
          lease.following();
        }
        Candidacy won = lease.clear(nowNanos());
        if (won != null) {
          won.won().complete(null);
          lease.decides(won);
        }
        write(lease.due("host:1", nowNanos()));
      }

      private void resign(@Nullable Candidacy ended) {
        if (ended != null) {
          write(lease.resignation(ended, nowNanos()));
        }
      }

      private void write(@Nullable OwnershipHeartbeat beat) {
        if (beat != null) {
          unwritten.add(beat);
          unwrittenDueMs.add(nowMs + writesLateByMs);
        }
      }

      /** What is in the hands of the network arrives though its writer freezes. */
      void deliver() {
        while (!unwritten.isEmpty() && unwrittenDueMs.element() <= nowMs) {
          unwrittenDueMs.remove();
          log.add(unwritten.remove());
        }
      }
    }
  }
}
