package io.connectionledger.model.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.connectionledger.model.PodAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PoolPolicyTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static PoolPolicy policy(
      PoolPolicy.Placement placement, Affinity affinity, Duration slowStart) {
    return new PoolPolicy(
            "chat", 1, 1, 1, PoolPolicy.Mode.ENFORCE, PoolPolicy.OnOwnerLoss.DENY, List.of())
        .placing(placement, affinity, slowStart);
  }

  @Test
  void shouldReadBackTheJsonThatItWrites() throws JsonProcessingException {
    for (Affinity affinity :
        List.of(Affinity.header("x-user"), Affinity.cookie("u"), Affinity.bySourceAddress())) {
      PoolPolicy written =
          policy(PoolPolicy.Placement.AFFINITY, affinity, Duration.ofMillis(1_500));

      String json = JSON.writeValueAsString(written);

      assertThat(JSON.readValue(json, PoolPolicy.class)).isEqualTo(written);
      assertThat(json).contains("\"placement\":\"affinity\"", "\"slowStart\":\"1500ms\"");
    }
    assertThat(
            JSON.writeValueAsString(
                policy(PoolPolicy.Placement.LEAST_CONNECTIONS, Affinity.NONE, Duration.ZERO)))
        .contains("\"placement\":\"least-connections\",\"affinity\":{},\"slowStart\":\"0s\"");
  }

  @Test
  void shouldReadWhatWasWrittenBeforeThereWerePlacements() throws JsonProcessingException {
    PoolPolicy read =
        JSON.readValue(
            """
            {"pool":"chat","connectionsPerSecond":1,"burstCapacity":1,"perPodMaxConnections":1,\
            "mode":"enforce","onOwnerLoss":"deny","pods":[]}""",
            PoolPolicy.class);

    assertThat(read)
        .isEqualTo(
            policy(
                PoolPolicy.Placement.LEAST_CONNECTIONS,
                Affinity.NONE,
                PoolPolicy.DEFAULT_SLOW_START));
  }

  @Test
  void shouldRefuseAPlacementThatLacksItsAffinity() {
    assertThatThrownBy(() -> policy(PoolPolicy.Placement.AFFINITY, Affinity.NONE, Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("affinity is missing with placement affinity: allowed is");
    assertThatThrownBy(() -> new Affinity("x-user", "user", false))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Affinity.header("x user"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void shouldHaveNoMorePodsThanAPoolMayHave() {
    List<Pod> most =
        IntStream.range(0, PoolPolicy.MAX_PODS)
            .mapToObj(i -> new Pod("pod-" + i, new PodAddress("10.0.0.1", i + 1)))
            .toList();
    List<Pod> tooMany = new ArrayList<>(most);
    tooMany.add(new Pod("one-more", new PodAddress("10.0.0.2", 1)));
    PoolPolicy policy =
        new PoolPolicy(
            "chat", 1, 1, 1, PoolPolicy.Mode.ENFORCE, PoolPolicy.OnOwnerLoss.DENY, List.of());

    assertThat(policy.withPods(most).pods()).hasSize(PoolPolicy.MAX_PODS);
    assertThatThrownBy(() -> policy.withPods(tooMany))
        .isInstanceOf(InvalidPolicyException.class)
        .hasMessageContaining("pods is 10001 pods");
  }
}
