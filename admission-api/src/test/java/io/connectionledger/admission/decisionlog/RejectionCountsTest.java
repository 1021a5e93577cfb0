package io.connectionledger.admission.decisionlog;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.PoolPolicy.Mode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RejectionCountsTest {

  private static final long BEGIN_MS = 1_800_000_000_000L;
  private static final List<RejectionReason> REASONS =
      List.of(RejectionReason.RATE_LIMITED, RejectionReason.POD_LIMIT);

  private final RejectionCounts counts = new RejectionCounts();
  private int made;

  /** What anybody counts rejections by. */
  private record Counted(
      String pool, RejectionReason reason, @Nullable PodAddress pod, boolean shadow, long bucket) {

    static Counted of(Decision.Rejected one) {
      return new Counted(one.pool(), one.reason(), one.pod(), one.isShadow(), one.atMs() / 10_000);
    }
  }

  private record Second(String pool, long second) {}

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void shouldLeaveNoneOutWheneverTheyCome(long seed) {
    // Given
    Random random = new Random(seed);
    Map<Counted, Integer> expected = new HashMap<>();
    Map<Second, Integer> arrived = new HashMap<>();
    Map<Second, Integer> single = new HashMap<>();
    List<Decision.Rejected> records = new ArrayList<>();
    long nowMs = BEGIN_MS;
    // When
    for (int i = 0; i < 40_000; i++) {
      nowMs += random.nextInt(100_000) == 0 ? 30_000 : random.nextInt(1 + (int) seed) / 3;
      // It was decided a moment ago.
      Decision.Rejected one = rejected(random, nowMs - random.nextInt(5));
      Second second = new Second(one.pool(), nowMs / 1_000);
      arrived.merge(second, 1, Integer::sum);
      expected.merge(Counted.of(one), 1, Integer::sum);
      if (!counts.take(one, false, nowMs)) {
        single.merge(second, 1, Integer::sum);
        records.add(one);
      }
      if (random.nextInt(700) == 0) {
        records.addAll(counts.before(nowMs));
      }
    }
    records.addAll(counts.before(Long.MAX_VALUE));
    // Then
    Map<Counted, Integer> told = new HashMap<>();
    records.forEach(one -> told.merge(Counted.of(one), one.attempts(), Integer::sum));
    assertThat(told).isEqualTo(expected);
    arrived.forEach(
        (second, count) ->
            assertThat(single.get(second))
                .as("records of their own of %d in %s", count, second)
                .isEqualTo(Math.min(count, RejectionCounts.RECORDS)));
    assertThat(records).extracting(Decision.Rejected::id).doesNotHaveDuplicates();
    assertThat(records)
        .filteredOn(one -> one.fromMs() != null)
        .allSatisfy(
            one ->
                assertThat(one.fromMs())
                    .isBetween(one.atMs() - Math.floorMod(one.atMs(), 1_000L), one.atMs()));
    assertThat(counts.before(Long.MAX_VALUE)).isEmpty();
  }

  private Decision.Rejected rejected(Random random, long atMs) {
    return new Decision.Rejected(
        random.nextInt(10) == 0 ? "quiet" : "chat",
        "d-" + made++,
        REASONS.get(random.nextInt(2)),
        random.nextBoolean() ? null : new PodAddress("10.0.0." + random.nextInt(3), 80),
        1 + random.nextInt(9),
        atMs,
        random.nextInt(20) == 0 ? Mode.SHADOW : null);
  }

  @Test
  void shouldTellOfASecondOnlyWhenItIsOver() {
    // Given
    flood(RejectionCounts.RECORDS + 300, BEGIN_MS + 10);
    // When
    List<Decision.Rejected> during = counts.before(BEGIN_MS + 999);
    List<Decision.Rejected> after = counts.before(BEGIN_MS + 1_000);
    // Then
    assertThat(during).isEmpty();
    assertThat(after).extracting(Decision.Rejected::attempts).containsExactly(300);
  }

  @Test
  void shouldGiveOneThatIsAloneARecordAsAnyOther() {
    // Given
    flood(RejectionCounts.RECORDS + 1, BEGIN_MS);
    // When
    List<Decision.Rejected> rest = counts.before(Long.MAX_VALUE);
    // Then
    assertThat(rest)
        .containsExactly(
            new Decision.Rejected(
                "chat",
                "d-" + RejectionCounts.RECORDS,
                RejectionReason.POD_LIMIT,
                null,
                1,
                BEGIN_MS));
  }

  private void flood(int checks, long atMs) {
    for (int i = 0; i < checks; i++) {
      counts.take(
          new Decision.Rejected("chat", "d-" + made++, RejectionReason.POD_LIMIT, null, 1, atMs),
          false,
          atMs);
    }
  }
}
