package io.connectionledger.streams.rules.placement;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CircuitBreakerTest {

  private static final long START_MS = 1_800_000_000_000L;

  private final CircuitBreaker circuit = new CircuitBreaker();

  private void fail(int times, long atMs) {
    for (int i = 0; i < times; i++) {
      boolean unused = circuit.failed(atMs, null, () -> true);
    }
  }

  @Test
  void shouldOpenAfterFiveFailuresInARow() {
    fail(4, START_MS);
    boolean before = circuit.isOpen();

    boolean opened = circuit.failed(START_MS, null, () -> true);

    assertThat(before).isFalse();
    assertThat(opened).isTrue();
    assertThat(circuit.isOpen()).isTrue();
  }

  @Test
  void shouldStayClosedWhenASuccessComesBetween() {
    fail(4, START_MS);
    boolean unused = circuit.succeeded(START_MS);

    fail(4, START_MS);

    assertThat(circuit.isOpen()).isFalse();
  }

  @Test
  void shouldDoubleTheBackOffWithEachFailedProbeUpToAMinute() {
    fail(5, START_MS);
    List<Long> backOffs = new ArrayList<>();
    long nowMs = START_MS;
    for (int i = 0; i < 8; i++) {
      backOffs.add(circuit.probeMs() - nowMs);
      nowMs = circuit.probeMs();
      circuit.halfOpen();
      circuit.probe(nowMs);
      fail(1, nowMs);
    }

    assertThat(backOffs)
        .containsExactly(1_000L, 2_000L, 4_000L, 8_000L, 16_000L, 32_000L, 60_000L, 60_000L);
  }

  @Test
  void shouldNotCountTheFailuresOfThoseWhoWereAdmittedBeforeItOpened() {
    fail(5, START_MS);
    long probeMs = circuit.probeMs();

    fail(50, START_MS + 900);

    assertThat(circuit.probeMs()).isEqualTo(probeMs);
  }

  @Test
  void shouldStartOverWithAShortBackOffAfterASuccess() {
    fail(5, START_MS);
    fail(1, circuit.probeMs());
    boolean closed = circuit.succeeded(circuit.probeMs());
    boolean open = circuit.isOpen();
    fail(5, START_MS + 100_000);

    assertThat(closed).isTrue();
    assertThat(open).isFalse();
    assertThat(circuit.probeMs()).isEqualTo(START_MS + 100_000 + CircuitBreaker.FIRST_BACKOFF_MS);
  }

  @Test
  void shouldNotBelieveNewsThatIsOlderThanWhatItKnows() {
    fail(5, START_MS);
    boolean closedByThePast = circuit.succeeded(START_MS - 1);
    boolean open = circuit.isOpen();
    boolean closed = circuit.succeeded(START_MS + 10);
    fail(5, START_MS + 5);

    assertThat(closedByThePast).isFalse();
    assertThat(open).isTrue();
    assertThat(closed).isTrue();
    assertThat(circuit.isOpen()).isFalse();
  }

  @Test
  void shouldNotWaitForAClockThatRanAhead() {
    fail(5, START_MS + 3_600_000);

    circuit.bound(START_MS);

    assertThat(circuit.probeMs()).isEqualTo(START_MS + CircuitBreaker.FIRST_BACKOFF_MS);
    assertThat(circuit.succeeded(START_MS + 1)).isTrue();
  }

  @Test
  void shouldContinueWhereAStoreKeptIt() {
    fail(5, START_MS);
    fail(1, circuit.probeMs());
    CircuitBreaker other = new CircuitBreaker();

    other.restore(circuit.stored());

    assertThat(other.isOpen()).isTrue();
    assertThat(other.probeMs()).isEqualTo(circuit.probeMs());
  }

  /** Whatever comes when: it is closed by the latest success, and no back-off is out of bounds. */
  @Test
  void shouldBeClosedByASuccessThatIsLaterThanEverythingElse() {
    long seed = 1;
    Random random = new Random(seed);
    for (int i = 0; i < 2_000; i++) {
      long atMs = START_MS + random.nextInt(200_000);
      if (random.nextInt(8) == 0) {
        boolean unused = circuit.succeeded(atMs);
      } else {
        fail(1, atMs);
      }
      if (circuit.isOpen()) {
        assertThat(circuit.probeMs() - circuit.stored().openedMs())
            .as("seed %d", seed)
            .isBetween(CircuitBreaker.FIRST_BACKOFF_MS, CircuitBreaker.MAX_BACKOFF_MS);
      }
      if (random.nextInt(20) == 0) {
        CircuitBreaker copy = new CircuitBreaker();
        copy.restore(circuit.stored());
        boolean unused = copy.succeeded(START_MS + 200_000);
        assertThat(copy.isOpen()).as("seed %d", seed).isFalse();
      }
    }
  }

  @Test
  void shouldNotOpenForOneSourceAloneHoweverOftenItFails() {
    for (int i = 0; i < 100; i++) {
      assertThat(circuit.failed(START_MS + i, "envoy-1|client", () -> true)).isFalse();
    }

    boolean byAnother = circuit.failed(START_MS + 100, "envoy-1|other", () -> true);

    assertThat(byAnother).isTrue();
  }

  @Test
  void shouldOpenAsSoonAsItMay() {
    for (int i = 0; i < 100; i++) {
      assertThat(circuit.failed(START_MS + i, null, () -> false)).isFalse();
    }

    assertThat(circuit.failed(START_MS + 100, null, () -> true)).isTrue();
  }
}
