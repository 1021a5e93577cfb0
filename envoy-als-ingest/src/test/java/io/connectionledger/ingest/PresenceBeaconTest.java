package io.connectionledger.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.NodeId;
import io.connectionledger.model.Topics;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.Presence;
import io.connectionledger.model.event.RecordCodec;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PresenceBeaconTest {

  private final BlockingQueue<Presence> told = new LinkedBlockingQueue<>();
  private PresenceBeacon beacon = new PresenceBeacon(() -> 1_000_000, List::of, told::add);

  @AfterEach
  void stop() {
    beacon.close();
  }

  private void awaitTold(Set<String> envoys) {
    Awaitility.await().until(() -> told.stream().anyMatch(p -> p.envoys().keySet().equals(envoys)));
    told.clear();
  }

  @Test
  void shouldTellOfAnEnvoyFromItsFirstStreamToItsLast() {
    assertThat(beacon.attached("a")).isNull();
    assertThat(beacon.attached("a")).isNull();
    awaitTold(Set.of("a"));
    beacon.detached("a");
    assertThat(beacon.attached("b")).isNull();
    awaitTold(Set.of("a", "b"));

    beacon.detached("a");

    awaitTold(Set.of("b"));
  }

  @Test
  void shouldNumberTheStreamsOfAnEnvoy() {
    assertThat(beacon.attached("a")).isNull();
    assertThat(beacon.attached("b")).isNull();
    assertThat(beacon.attached("a")).isNull();
    beacon.detached("a");

    Awaitility.await()
        .until(() -> told.stream().anyMatch(p -> p.envoys().equals(Map.of("a", 3L, "b", 2L))));
  }

  @Test
  void shouldSayNothingOfEnvoysThatLeaveBecauseItIsClosed() {
    assertThat(beacon.attached("a")).isNull();
    awaitTold(Set.of("a"));

    beacon.close();
    beacon.detached("a");

    assertThat(told).noneMatch(presence -> presence.envoys().isEmpty());
  }

  /** No lease runs meanwhile, as nobody is heard. */
  @Test
  void shouldSayForHowLongKafkaHasNotTakenWhatIsHeard() {
    AtomicLong nowMs = new AtomicLong(1_000);
    beacon.close();
    BlockingQueue<Presence> later = new LinkedBlockingQueue<>();
    beacon = new PresenceBeacon(() -> nowMs.get() * 1_000_000, List::of, later::add);
    beacon.came("a stream");
    nowMs.set(9_000);
    beacon.came("another");
    later.clear();
    Presence held = Awaitility.await().until(later::poll, Objects::nonNull);

    beacon.settled("a stream");
    beacon.settled("another");

    assertThat(held.atMs()).isEqualTo(9_000);
    assertThat(held.lagMs()).isEqualTo(8_000);
    Awaitility.await().until(() -> later.stream().anyMatch(p -> p.lagMs() == 0));
  }

  @Test
  void shouldGoOnTellingAfterAFailure() {
    AtomicInteger calls = new AtomicInteger();
    BlockingQueue<Presence> later = new LinkedBlockingQueue<>();
    beacon.close();
    beacon =
        new PresenceBeacon(
            () -> 1_000_000,
            List::of,
            presence -> {
              if (calls.incrementAndGet() == 1) {
                throw new IllegalStateException("Kafka is away");
              }
              later.add(presence);
            });

    Awaitility.await().until(() -> !later.isEmpty());

    assertThat(calls).hasValueGreaterThan(1);
  }

  /** Kafka refuses a record of more than 1 MiB, and without a presence no lease runs. */
  @Test
  void shouldTellOfAnyNumberOfEnvoysInRecordsThatEveryTopicTakes() {
    beacon.close();
    BlockingQueue<Presence> all = new LinkedBlockingQueue<>();
    beacon = new PresenceBeacon(() -> 1_000_000, List::of, all::add);
    String longest = "\"".repeat(NodeId.MAX_LENGTH - 5);

    for (int i = 0; i < PresenceBeacon.MAX_ENVOYS; i++) {
      assertThat(beacon.attached(String.format(Locale.ROOT, "%05d", i) + longest)).isNull();
    }
    String oneMore = beacon.attached("one-more");

    assertThat(oneMore).contains("10000 Envoys");
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .until(
            () ->
                all.stream().flatMap(p -> p.envoys().keySet().stream()).distinct().count()
                    == PresenceBeacon.MAX_ENVOYS);
    assertThat(all)
        .allSatisfy(
            presence ->
                assertThat(RecordCodec.encode(presence))
                    .hasSizeLessThan(Topics.LEAST_MESSAGE_BYTES));
  }

  @Test
  void shouldTellOfAnEnvoyInTheSameRecordAsLongAsItHasAStream() {
    for (int i = 0; i < PresenceBeacon.ENVOYS_OF_A_RECORD + 1; i++) {
      assertThat(beacon.attached("envoy-" + i)).isNull();
    }
    String last = "envoy-" + PresenceBeacon.ENVOYS_OF_A_RECORD;
    Awaitility.await().until(() -> told.stream().anyMatch(p -> p.envoys().containsKey(last)));
    Set<String> ingests =
        told.stream()
            .filter(p -> p.envoys().containsKey(last))
            .map(Presence::ingest)
            .collect(Collectors.toSet());

    beacon.detached("envoy-0");
    beacon.detached(last);
    told.clear();

    // Its record goes on without it: if it fell silent, nobody would know that it is gone.
    Awaitility.await()
        .until(
            () ->
                told.stream().anyMatch(p -> ingests.contains(p.ingest()) && p.envoys().isEmpty()));
    assertThat(ingests).hasSize(1);
    assertThat(told).allSatisfy(p -> assertThat(ConnectionIds.isValid(p.ingest())).isTrue());
  }

  @Test
  void shouldRefuseMoreStreamsThanAnEnvoyHas() {
    for (int i = 0; i < PresenceBeacon.MAX_STREAMS_OF_AN_ENVOY; i++) {
      assertThat(beacon.attached("a")).isNull();
    }

    assertThat(beacon.attached("a")).contains("256 access-log streams");
    assertThat(beacon.attached("b")).isNull();
  }
}
