package io.connectionledger.streams.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.MaxUnacknowledged;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.LedgerRecord;
import io.connectionledger.model.event.Loan;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.state.Changes;
import io.connectionledger.streams.rules.state.StoredConnection;
import io.connectionledger.testkit.MapStore;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Random worlds in which owners answer before they record, lend slots, and then die or hand over,
 * while borrowers freeze, hear late or never of what was lent to them, believe that there is no
 * owner, and report what they use or not, and the log loses opens and closes: what is really open
 * on a pod is compared with its limit after every step. {@code -Dledger.seeds=N} runs more of them.
 */
class TakeoverWorldTest {

  private static final int STEP_MS = 50;
  private static final int STEPS = 1_200;
  private static final int MAX_UNRECORDED_MS = 300;
  private static final int PHASE_MS = 9_000;

  /** An open that no event tells must show by a heartbeat before its reservation ends. */
  private static final int MAX_OPENING_MS = 900;

  private static final LeaseTerms TERMS =
      new LeaseTerms(Duration.ofSeconds(1), 3, Duration.ofSeconds(2));

  @Test
  void shouldNeverHaveMoreOpenThanTheLimitWhenOwnersDieWithUnrecordedDecisions() {
    int lost = 0;
    int lent = 0;
    for (int seed = 0; seed < Integer.getInteger("ledger.seeds", 100); seed++) {
      World world = new World(seed);
      world.run();
      lost += world.lost;
      lent += world.lent;
    }
    assertThat(lost).as("answered and then lost, over all worlds").isPositive();
    assertThat(lent).as("admitted with what was lent, over all worlds").isPositive();
  }

  /** An admitted client. */
  private static final class Client {
    final PodAddress pod;
    final long opensMs;
    final long closesMs;
    boolean open;

    Client(PodAddress pod, long opensMs, long closesMs) {
      this.pod = pod;
      this.opensMs = opensMs;
      this.closesMs = closesMs;
    }
  }

  private static final class World {
    private final int seed;
    private final Random random;
    private final PoolPolicy policy;
    private final Map<String, StoredConnection> store = new HashMap<>();
    private final List<LedgerRecord> unread = new ArrayList<>();
    private final Deque<Decision.Allowed> unrecorded = new ArrayDeque<>();
    private final Set<String> everRecorded = new HashSet<>();
    private final Set<String> everAnswered = new HashSet<>();
    private final Map<String, Client> answered = new LinkedHashMap<>();
    private final Changes changes = new Changes();
    private @Nullable PoolLedger owner;
    private long nowMs = 1_800_000_000_000L;
    private long takeoverMs = nowMs;
    private boolean unclean;
    private long uncleanMs = Long.MIN_VALUE / 2;
    private final List<Borrower> borrowers = List.of(new Borrower(), new Borrower());
    private int lost;
    private int lent;

    World(int seed) {
      this.seed = seed;
      random = new Random(seed);
      policy =
          new PoolPolicy(
              "chat",
              PoolPolicy.UNLIMITED_RATE,
              1,
              1 + random.nextInt(60),
              PoolPolicy.Mode.ENFORCE,
              PoolPolicy.OnOwnerLoss.SHARE,
              IntStream.rangeClosed(1, 1 + random.nextInt(3))
                  .mapToObj(i -> new Pod("pod-" + i, PodAddress.parse("10.0.0." + i + ":80")))
                  .toList());
    }

    void run() {
      for (int step = 0; step < STEPS; step++) {
        nowMs += STEP_MS;
        if (owner == null && nowMs >= takeoverMs) {
          owner = takeOver();
        }
        PoolLedger deciding = owner;
        if (deciding != null) {
          time(deciding);
          for (int checks = random.nextInt(isBusy() ? 8 : 2); checks > 0; checks--) {
            decide(deciding);
          }
          recordSome();
          fault();
        }
        borrowers.forEach(Borrower::step);
        live();
      }
      assertThat(everAnswered).as("admitted, seed %s", seed).isNotEmpty();
    }

    /** There is room to lend at some times, and none at others. */
    private boolean isBusy() {
      return nowMs / PHASE_MS % 2 == 0;
    }

    private PoolLedger takeOver() {
      PoolLedger next = new PoolLedger(policy, TERMS, nowMs);
      store.forEach(next::restore);
      unread.forEach(record -> apply(next, record));
      unread.clear();
      if (unclean) {
        uncleanMs = nowMs;
      }
      if (nowMs - uncleanMs < TERMS.maxUnseen().toMillis()) {
        next.reserveHeadroom(nowMs);
      }
      return next;
    }

    private void time(PoolLedger ledger) {
      changes.clear();
      ledger.tick(nowMs, nowMs, changes);
      persist();
    }

    private void decide(PoolLedger ledger) {
      if (ledger.decide(nowMs * 1_000_000) instanceof Decision.Allowed allowed) {
        unrecorded.add(allowed);
        long underway =
            unrecorded.stream()
                .filter(d -> !ConnectionIds.isLent(d.id()) && d.pod().equals(allowed.pod()))
                .count();
        if (underway <= MaxUnacknowledged.most(policy.perPodMaxConnections())
            && !ledger.reservesHeadroom()) {
          answer(allowed);
        }
      }
    }

    private void answer(Decision.Allowed allowed) {
      if (!everAnswered.add(allowed.id())) {
        return;
      }
      long opensMs = Math.max(nowMs, allowed.atMs() + random.nextInt(MAX_OPENING_MS));
      answered.put(
          allowed.id(), new Client(allowed.pod(), opensMs, opensMs + random.nextInt(8_000)));
    }

    private void recordSome() {
      while (!unrecorded.isEmpty()
          && (nowMs - unrecorded.element().atMs() >= MAX_UNRECORDED_MS || random.nextInt(4) == 0)) {
        recordNext();
      }
    }

    private void recordNext() {
      Decision.Allowed recorded = unrecorded.remove();
      everRecorded.add(recorded.id());
      log(recorded);
      if (!ConnectionIds.isLent(recorded.id())) {
        answer(recorded);
      }
    }

    private void fault() {
      switch (random.nextInt(200)) {
        case 0, 1 -> {
          lost += (int) unrecorded.stream().filter(d -> answered.containsKey(d.id())).count();
          unrecorded.clear();
          leave(true, random.nextInt(3_000));
        }
        case 2 -> {
          while (!unrecorded.isEmpty()) {
            recordNext();
          }
          leave(false, random.nextInt(200));
        }
        default -> {
          // Mostly nothing happens.
        }
      }
    }

    private void leave(boolean withoutAWord, int gapMs) {
      owner = null;
      unclean = withoutAWord;
      takeoverMs = nowMs + gapMs;
    }

    private void live() {
      answered.entrySet().removeIf(entry -> isOver(entry.getKey(), entry.getValue()));
      if (nowMs % 1_000 == 0) {
        log(
            new ConnectionEvent.Alive(
                "chat",
                "envoy",
                answered.entrySet().stream()
                    .filter(entry -> entry.getValue().open)
                    .collect(
                        Collectors.groupingBy(
                            entry -> entry.getValue().pod,
                            Collectors.mapping(Map.Entry::getKey, Collectors.toList()))),
                nowMs));
      }
      for (Pod pod : policy.pods()) {
        long open =
            answered.values().stream().filter(c -> c.open && c.pod.equals(pod.address())).count();
        assertThat(open)
            .as("open on %s, seed %s at %s", pod.name(), seed, nowMs)
            .isLessThanOrEqualTo(policy.perPodMaxConnections());
      }
    }

    private boolean isOver(String id, Client client) {
      if (!client.open && nowMs >= client.opensMs) {
        client.open = true;
        if (random.nextBoolean()) {
          log(new ConnectionEvent.Opened("chat", id, client.pod, "envoy", nowMs, nowMs));
        }
      }
      boolean over = client.open && nowMs >= client.closesMs;
      if (over && random.nextBoolean()) {
        log(new ConnectionEvent.Closed("chat", id, client.pod, "envoy", "done", null, nowMs));
      }
      return over;
    }

    /** An instance that has no part in the ownership but what it borrows. */
    private final class Borrower {
      private final BorrowedSlots borrowed = new BorrowedSlots();
      private long frozenUntilMs;
      private List<String> asked = List.of();
      private @Nullable Loan loan;
      private long askedNanos;
      private long answeredMs;

      void step() {
        if (random.nextInt(200) == 0) {
          frozenUntilMs = nowMs + random.nextInt(25_000);
        }
        if (nowMs < frozenUntilMs) {
          return;
        }
        PoolLedger lender = owner;
        // It may believe that there is no owner while there is one.
        if (random.nextInt(lender == null ? 3 : 60) == 0) {
          spend();
        }
        if (loan != null && nowMs >= answeredMs) {
          take(loan);
        }
        if (loan == null && lender != null && random.nextInt(20) == 0) {
          ask(lender);
        }
      }

      private void ask(PoolLedger lender) {
        asked = borrowed.ids(nowMs * 1_000_000);
        askedNanos = nowMs * 1_000_000;
        answeredMs = nowMs + MAX_UNRECORDED_MS + STEP_MS + random.nextInt(1_000);
        loan = lender.lend(asked, borrowers.size(), askedNanos);
        unrecorded.addAll(loan.added());
      }

      private void take(Loan answer) {
        loan = null;
        boolean recorded =
            answer.added().stream().allMatch(slot -> everRecorded.contains(slot.id()));
        if (!recorded || random.nextInt(5) == 0) {
          return;
        }
        PoolLedger lender = owner;
        for (Decision.Allowed back : borrowed.take(asked, answer, askedNanos, nowMs * 1_000_000)) {
          if (lender != null && random.nextInt(5) > 0) {
            lender.release(back.id());
          }
        }
      }

      private void spend() {
        Decision.Allowed slot =
            random.nextBoolean()
                ? borrowed.spend(nowMs * 1_000_000)
                : borrowed.spendAsRoom(nowMs * 1_000_000);
        if (slot != null) {
          lent++;
          answer(slot);
          if (random.nextInt(4) > 0) {
            log(slot);
          }
        }
      }
    }

    private void log(LedgerRecord record) {
      PoolLedger reading = owner;
      if (reading == null) {
        unread.add(record);
      } else {
        apply(reading, record);
      }
    }

    private void apply(PoolLedger ledger, LedgerRecord record) {
      changes.clear();
      ledger.apply(record, changes);
      persist();
    }

    private void persist() {
      MapStore.write(store, changes.connections());
    }
  }
}
