package io.connectionledger.controlplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.junit.jupiter.api.Test;

final class AskedNamesTest {

  private static final int MAX_BYTES = 3 * AskedNames.MAX_BYTES_OF_A_STREAM;

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final AskedNames asked = new AskedNames(registry, 4, MAX_BYTES);

  private AskedNames.OfStream stream() {
    assertThat(asked.begin()).isTrue();
    return asked.new OfStream();
  }

  private static DeltaDiscoveryRequest more(int bytes) {
    return DeltaDiscoveryRequest.newBuilder()
        .addResourceNamesSubscribe("x".repeat(bytes - 100))
        .build();
  }

  private static DiscoveryRequest all(int bytes) {
    return DiscoveryRequest.newBuilder().addResourceNames("x".repeat(bytes - 100)).build();
  }

  private double refused() {
    return registry.get(AskedNames.REFUSED).counter().count();
  }

  @Test
  void shouldTakeSoManyStreamsAndAnotherWhenOneHasEnded() {
    AskedNames.OfStream first = stream();
    for (int i = 1; i < 4; i++) {
      stream();
    }
    assertThat(asked.begin()).isFalse();
    assertThat(refused()).isEqualTo(1);

    first.close();
    first.close();

    assertThat(asked.begin()).isTrue();
    assertThat(asked.begin()).isFalse();
  }

  @Test
  void shouldAddUpWhatAStreamSubscribesTo() {
    AskedNames.OfStream delta = stream();
    AskedNames.OfStream plain = stream();
    int third = AskedNames.MAX_BYTES_OF_A_STREAM / 3;

    assertThat(delta.takes(more(third))).isTrue();
    assertThat(delta.takes(DeltaDiscoveryRequest.getDefaultInstance())).isTrue();
    assertThat(delta.takes(more(third))).isTrue();
    assertThat(delta.takes(more(third))).isFalse();
    // The names of one request stand for those of the last.
    for (int i = 0; i < 10; i++) {
      assertThat(plain.takes(all(AskedNames.MAX_BYTES_OF_A_STREAM))).isTrue();
    }
    assertThat(refused()).isEqualTo(1);
  }

  @Test
  void shouldKeepSoMuchOfAllStreams() {
    AskedNames.OfStream first = stream();
    assertThat(first.takes(all(AskedNames.MAX_BYTES_OF_A_STREAM))).isTrue();
    assertThat(stream().takes(all(AskedNames.MAX_BYTES_OF_A_STREAM))).isTrue();
    AskedNames.OfStream third = stream();
    assertThat(third.takes(all(AskedNames.MAX_BYTES_OF_A_STREAM))).isTrue();
    AskedNames.OfStream last = stream();
    assertThat(last.takes(all(1_000))).isFalse();
    last.close();

    first.close();

    assertThat(stream().takes(all(1_000))).isTrue();
  }
}
