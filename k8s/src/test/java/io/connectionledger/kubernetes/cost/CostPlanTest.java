package io.connectionledger.kubernetes.cost;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.kubernetes.cost.CostPlan.Candidate;
import io.connectionledger.kubernetes.cost.CostPlan.Plan;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class CostPlanTest {

  private static final long MINUTE = Duration.ofMinutes(1).toNanos();

  private final CostPlan plan = new CostPlan(Duration.ofMinutes(1));

  @Test
  void theEmptiestCostsLeast() {
    Plan next = plan.next(List.of(pod("a", 7), pod("b", 0), pod("c", 3)), 0);

    assertThat(costs(next)).isEqualTo(Map.of("a", "2", "b", "0", "c", "1"));
  }

  @Test
  void equalsCostTheSame() {
    Plan next = plan.next(List.of(pod("a", 3), pod("b", 1), pod("c", 1), pod("d", 9)), 0);

    assertThat(costs(next)).isEqualTo(Map.of("a", "2", "b", "0", "c", "0", "d", "3"));
  }

  @Test
  void replicaSetsAreRankedApart() {
    Plan next =
        plan.next(
            List.of(pod("a", 9), new Candidate("ns", "z", "z-uid", "1", "other", 4, null, null)),
            0);

    assertThat(costs(next)).isEqualTo(Map.of("a", "0", "z", "0"));
  }

  @Test
  void nothingIsWrittenWhileRanksStay() {
    List<Candidate> before = List.of(written("a", 3, "0"), written("b", 5, "1"));
    List<Candidate> busier = List.of(written("a", 400, "0"), written("b", 1_000, "1"));

    assertThat(plan.next(before, 0).writes()).isEmpty();
    assertThat(plan.next(busier, 10 * MINUTE).writes()).isEmpty();
  }

  @Test
  void whatChangesPlacesIsWrittenOnceAMinute() {
    Plan first = plan.next(List.of(pod("a", 3), pod("b", 5)), 0);
    first.writes().forEach(write -> plan.written(write, 0));
    List<Candidate> swapped = List.of(written("a", 9, "0"), written("b", 5, "1"));

    assertThat(plan.next(swapped, MINUTE - 1).writes()).isEmpty();
    assertThat(costs(plan.next(swapped, MINUTE))).isEqualTo(Map.of("a", "1", "b", "0"));
  }

  @Test
  void whatWasNotTakenComesAgain() {
    List<Candidate> pods = List.of(pod("a", 3), pod("b", 5));

    assertThat(plan.next(pods, 0).writes()).isNotEmpty();
    assertThat(plan.next(pods, 1).writes()).isEqualTo(plan.next(pods, 0).writes());
  }

  @Test
  void aNewLeaderWaitsForWhatTheOtherMayHaveWritten() {
    plan.begin(0);
    List<Candidate> pods = List.of(written("a", 9, "0"), written("b", 5, "1"), pod("c", 0));

    assertThat(costs(plan.next(pods, MINUTE - 1))).isEqualTo(Map.of("c", "0"));
    assertThat(costs(plan.next(pods, MINUTE))).isEqualTo(Map.of("a", "2", "c", "0"));
  }

  @Test
  void aForeignCostStaysAndIsSaidOnce() {
    Candidate foreign = foreign("a", "-5", null);
    Candidate overwritten = foreign("b", "100", "1");
    List<Candidate> pods = List.of(foreign, overwritten, pod("c", 5));

    Plan first = plan.next(pods, 0);
    Plan second = plan.next(pods, 10 * MINUTE);

    assertThat(costs(first)).isEqualTo(Map.of("c", "2"));
    assertThat(first.foreign()).containsExactly(foreign, overwritten);
    assertThat(second.foreign()).isEmpty();
  }

  @Test
  void aCostThatWasTakenAwayComesBack() {
    Candidate cleared = new Candidate("ns", "a", "a-uid", "1", "rs", 0, null, "1");

    assertThat(costs(plan.next(List.of(cleared), MINUTE))).isEqualTo(Map.of("a", "0"));
  }

  @Test
  void aPodOfTwoPoolsHoldsTheConnectionsOfBoth() {
    assertThat(pod("a", 3).with(pod("a", 4)).active()).isEqualTo(7);
  }

  private static Candidate pod(String name, int active) {
    return new Candidate("ns", name, name + "-uid", "1", "rs", active, null, null);
  }

  private static Candidate written(String name, int active, String cost) {
    return new Candidate("ns", name, name + "-uid", "1", "rs", active, cost, cost);
  }

  private static Candidate foreign(String name, String cost, @Nullable String marker) {
    return new Candidate("ns", name, name + "-uid", "1", "rs", 0, cost, marker);
  }

  private static Map<String, String> costs(Plan plan) {
    return plan.writes().stream()
        .collect(
            Collectors.toMap(
                write -> write.pod().name(), CostPlan.Write::cost, (a, b) -> b, TreeMap::new));
  }
}
