package io.connectionledger.streams.simulation;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Topics;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RecordCodec;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PolicyCodec;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.Simulation;
import io.connectionledger.model.view.SimulationRefusedException;
import io.connectionledger.model.view.SimulationRefusedException.Why;
import io.connectionledger.model.view.Simulations;
import io.connectionledger.model.view.Simulations.Request;
import io.connectionledger.streams.history.StoredHistory;
import io.connectionledger.streams.history.TopicHistory;
import io.connectionledger.streams.simulation.TopicSimulations.Bounds;
import io.connectionledger.testkit.ManualTicker;
import io.connectionledger.testkit.PolicyFixtures;
import io.connectionledger.testkit.StoredTopics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.apache.kafka.common.KafkaException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TopicSimulationsTest {

  private static final long BEGIN_MS = 1_800_000_000_000L;
  private static final PodAddress POD = PodAddress.parse("10.0.0.1:80");

  private final StoredTopics topics =
      new StoredTopics(
          List.of(Topics.POLICIES, Topics.ENVOYS, Topics.DECISIONS, Topics.CONNECTIONS), 1);
  private final ManualTicker ticker = new ManualTicker();

  @BeforeEach
  void record() {
    PoolPolicy policy = PolicyFixtures.unlimited("chat", 2, List.of(new Pod("pod-1", POD)));
    topics.add(
        Topics.POLICIES,
        0,
        "chat".getBytes(UTF_8),
        PolicyCodec.encode(PolicyRecord.ofBase(policy, Set.of(), BEGIN_MS)),
        BEGIN_MS);
    // The first of them before the window.
    for (int i = 0; i < 4; i++) {
      long atMs = BEGIN_MS + 60_000L * i;
      Decision decision =
          i < 2
              ? new Decision.Allowed("chat", "id-" + i, POD, 0, atMs)
              : new Decision.Rejected("chat", "id-" + i, RejectionReason.POD_LIMIT, null, 1, atMs);
      topics.add(Topics.DECISIONS, 0, "chat".getBytes(UTF_8), RecordCodec.encode(decision), atMs);
    }
  }

  private Simulations simulations(Supplier<TopicHistory> histories, Bounds bounds) {
    return new TopicSimulations(histories, SimulatorTest.TERMS, ticker, bounds);
  }

  private Simulations simulations() {
    return simulations(() -> StoredHistory.of(topics), new Bounds(100, 100, Duration.ofSeconds(1)));
  }

  private static Request request(String pool) {
    UnaryOperator<PoolPolicy> change = SimulatorTest.limits(PoolPolicy.UNLIMITED_RATE, 1, 3);
    return new Request(pool, BEGIN_MS + 30_000, BEGIN_MS + 200_000, change);
  }

  private static void refuses(Simulations simulations, String pool, Why why, String message) {
    assertThatThrownBy(() -> simulations.simulate(request(pool)))
        .hasMessageContaining(message)
        .asInstanceOf(type(SimulationRefusedException.class))
        .extracting(SimulationRefusedException::why)
        .isEqualTo(why);
  }

  @Test
  void shouldAnswerFromTheTopics() throws Exception {
    Simulation answer = simulations().simulate(request("chat"));

    assertThat(answer.recorded().admitted()).isEqualTo(1);
    assertThat(answer.recorded().rejected()).isEqualTo(Map.of(RejectionReason.POD_LIMIT, 2L));
    assertThat(answer.repeated()).isEqualTo(answer.recorded());
    assertThat(answer.simulated().admitted()).isEqualTo(2);
    assertThat(answer.simulated().rejected()).isEqualTo(Map.of(RejectionReason.POD_LIMIT, 1L));
    assertThat(answer.assumptions()).noneMatch(line -> line.contains("reaches back"));
  }

  @Test
  void shouldSayHowFarBackTheTopicsReach() throws Exception {
    topics.delete(Topics.DECISIONS, 0, 1);

    Simulation answer = simulations().simulate(request("chat"));

    assertThat(answer.assumptions())
        .anyMatch(line -> line.startsWith("ledger.decisions reaches back to 2027-01-15T08:01:00Z"));
  }

  @Test
  void shouldRefuseWhatItCannotAnswer() {
    refuses(simulations(), "video", Why.UNKNOWN_POOL, "no pool is named 'video'");
    refuses(
        simulations(() -> StoredHistory.of(topics), new Bounds(3, 100, Duration.ofSeconds(1))),
        "chat",
        Why.TOO_MUCH,
        "4 records, and 3 are read at most: ask for a shorter window");
    refuses(
        simulations(() -> StoredHistory.of(topics), new Bounds(100, 3, Duration.ofSeconds(1))),
        "chat",
        Why.TOO_MUCH,
        "more than 3 attempts, opens and closes: ask for a shorter window");
    refuses(
        simulations(
            () -> {
              throw new KafkaException("no broker");
            },
            new Bounds(100, 100, Duration.ofSeconds(1))),
        "chat",
        Why.UNAVAILABLE,
        "no broker");
  }

  @Test
  void shouldMakeOneAtATime() throws Exception {
    List<Why> second = new ArrayList<>();
    List<Simulations> it = new ArrayList<>();
    it.add(
        simulations(
            () -> {
              try {
                it.get(0).simulate(request("chat"));
              } catch (SimulationRefusedException refused) {
                second.add(refused.why());
              }
              return StoredHistory.of(topics);
            },
            new Bounds(100, 100, Duration.ofSeconds(1))));

    it.get(0).simulate(request("chat"));

    assertThat(second).containsExactly(Why.BUSY);
    assertThat(it.get(0).simulate(request("chat")).recorded().admitted()).isEqualTo(1);
  }
}
