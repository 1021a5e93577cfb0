package io.connectionledger.kubernetes.pool;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.kubernetes.pool.Verdict.Reason;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.testkit.PolicyFixtures;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class AcceptedPoolsTest {

  private static final String X = "{ clusters: [ x ] }";

  private final AcceptedPools pools = new AcceptedPools();

  @Test
  void acceptsWhatIsRight() {
    Map<String, Verdict> verdicts =
        judge(Resources.pool("a", 1, 0, X), Resources.pool("b", 1, 1, "{ clusters: [ y ] }"));

    assertThat(verdicts.values()).allMatch(Verdict::isAccepted);
    assertThat(inForce(verdicts, "a").clusters()).containsExactly("x");
  }

  @Test
  void leavesOutWhatIsWrong() {
    Verdict verdict = judge(Resources.pool("a", 1, 0, "{ burstCapacity: 0 }")).get("shop.a");

    assertThat(verdict)
        .isEqualTo(
            new Verdict(Reason.INVALID, "spec.burstCapacity is 0: allowed is 1 to 1000000", null));
  }

  @Test
  void leavesOutANameThatIsTooLong() {
    String name = "x".repeat(124);

    Verdict verdict = judge(Resources.pool(name, 1, 0, "{}")).get("shop." + name);

    assertThat(requireNonNull(verdict).reason()).isEqualTo(Reason.INVALID);
    assertThat(verdict.message()).contains("1 to 128");
  }

  @Test
  void whatWasAcceptedStaysWhenItTurnsWrong() {
    judge(Resources.pool("a", 1, 0, "{ perPodMaxConnections: 7, drain: [ a-1 ] }"));

    Map<String, Verdict> verdicts =
        judge(Resources.pool("a", 2, 0, "{ perPodMaxConnections: 0, drain: [ a-2 ] }"));

    Verdict verdict = requireNonNull(verdicts.get("shop.a"));
    assertThat(verdict.reason()).isEqualTo(Reason.INVALID);
    assertThat(requireNonNull(verdict.inForce()).policy().perPodMaxConnections()).isEqualTo(7);
    assertThat(verdict.inForce().drain()).containsExactly("a-1");
  }

  @Test
  void anotherOneOfTheSameNameStartsAnew() {
    judge(Resources.pool("a", 1, 0, "{}"));
    ConnectionPool other = Resources.pool("a", 1, 0, "{ perPodMaxConnections: 0 }");
    other.getMetadata().setUid("other-uid");

    assertThat(requireNonNull(judge(other).get("shop.a")).inForce()).isNull();
  }

  @Test
  void theOldestHasWhatSeveralClaim() {
    Map<String, Verdict> verdicts =
        judge(Resources.pool("a", 1, 5, X), Resources.pool("b", 1, 3, X));

    assertThat(verdicts.get("shop.a"))
        .isEqualTo(
            new Verdict(
                Reason.CONFLICTED,
                "spec.clusters has 'x': allowed is what no other pool claims; pool 'shop.b' does",
                null));
    assertThat(requireNonNull(verdicts.get("shop.b")).isAccepted()).isTrue();
  }

  @Test
  void nobodyTakesWhatIsInForce() {
    ConnectionPool younger = Resources.pool("young", 1, 9, X);
    judge(Resources.pool("old", 1, 0, "{}"), younger);

    Map<String, Verdict> verdicts = judge(Resources.pool("old", 2, 0, X), younger);

    assertThat(requireNonNull(verdicts.get("shop.young")).isAccepted()).isTrue();
    assertThat(requireNonNull(verdicts.get("shop.old")).isAccepted()).isFalse();
    assertThat(inForce(verdicts, "old").clusters()).isEmpty();
  }

  @Test
  void oneThatHasJustStartedTakesTheStatusForIt() {
    ConnectionPool younger = Resources.pool("young", 1, 9, X);
    younger.setStatus(accepted(1));

    Map<String, Verdict> verdicts = judge(Resources.pool("old", 2, 0, X), younger);

    assertThat(requireNonNull(verdicts.get("shop.young")).isAccepted()).isTrue();
    assertThat(requireNonNull(verdicts.get("shop.old")).isAccepted()).isFalse();
  }

  @Test
  void aStatusOfAnEarlierSpecMeansNothing() {
    ConnectionPool younger = Resources.pool("young", 2, 9, X);
    younger.setStatus(accepted(1));

    Map<String, Verdict> verdicts = judge(Resources.pool("old", 2, 0, X), younger);

    assertThat(requireNonNull(verdicts.get("shop.old")).isAccepted()).isTrue();
  }

  @Test
  void twoSwapWhatTheyClaim() {
    judge(Resources.pool("a", 1, 0, X), Resources.pool("b", 1, 1, "{ clusters: [ y ] }"));

    Map<String, Verdict> verdicts =
        judge(Resources.pool("a", 2, 0, "{ clusters: [ y ] }"), Resources.pool("b", 2, 1, "{}"));

    assertThat(verdicts.values()).allMatch(Verdict::isAccepted);
    assertThat(inForce(verdicts, "a").clusters()).containsExactly("y");
  }

  @Test
  void whatIsLetGoOfMayBeClaimed() {
    ConnectionPool waiting = Resources.pool("b", 1, 1, X);
    judge(Resources.pool("a", 1, 0, X), waiting);

    Map<String, Verdict> verdicts = judge(waiting);

    assertThat(requireNonNull(verdicts.get("shop.b")).isAccepted()).isTrue();
  }

  @Test
  void theConfigurationComesFirst() {
    PoolPolicy claiming =
        PolicyFixtures.unlimited("file", 1, List.of()).claiming(List.of("x"), List.of());
    PoolPolicy named = PolicyFixtures.unlimited("shop.b", 1, List.of());
    List<ConnectionPool> resources =
        List.of(Resources.pool("a", 1, 0, X), Resources.pool("b", 1, 1, "{}"));
    pools.judge(resources, List.of());

    Map<String, Verdict> verdicts = pools.judge(resources, List.of(claiming, named));

    assertThat(verdicts.values()).noneMatch(Verdict::isAccepted).allMatch(v -> v.inForce() == null);
    assertThat(requireNonNull(verdicts.get("shop.b")).message())
        .isEqualTo("metadata.name: the configuration has pool 'shop.b', too");
  }

  private Map<String, Verdict> judge(ConnectionPool... resources) {
    return pools.judge(List.of(resources), List.of());
  }

  private static PoolPolicy inForce(Map<String, Verdict> verdicts, String name) {
    @Nullable PoolResource spec = requireNonNull(verdicts.get("shop." + name)).inForce();
    return requireNonNull(spec).policy();
  }

  private static ConnectionPoolStatus accepted(long generation) {
    return new ConnectionPoolStatus(
        null,
        null,
        null,
        null,
        null,
        null,
        generation,
        List.of(
            new ConditionBuilder()
                .withType("Accepted")
                .withStatus("True")
                .withObservedGeneration(generation)
                .build()));
  }
}
