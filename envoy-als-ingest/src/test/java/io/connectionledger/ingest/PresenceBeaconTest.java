package io.connectionledger.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.event.Presence;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
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
    beacon.attached("a");
    beacon.attached("a");
    awaitTold(Set.of("a"));
    beacon.detached("a");
    beacon.attached("b");
    awaitTold(Set.of("a", "b"));

    beacon.detached("a");

    awaitTold(Set.of("b"));
  }

  @Test
  void shouldNumberTheStreamsOfAnEnvoy() {
    beacon.attached("a");
    beacon.attached("b");
    beacon.attached("a");
    beacon.detached("a");

    Awaitility.await()
        .until(() -> told.stream().anyMatch(p -> p.envoys().equals(Map.of("a", 3L, "b", 2L))));
  }

  @Test
  void shouldSayNothingOfEnvoysThatLeaveBecauseItIsClosed() {
    beacon.attached("a");
    awaitTold(Set.of("a"));

    beacon.close();
    beacon.detached("a");

    assertThat(told).noneMatch(presence -> presence.envoys().isEmpty());
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
}
