package io.connectionledger.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.connectionledger.model.Ticker;
import io.connectionledger.model.policy.PoolIndex;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.Map;
import org.apache.kafka.common.KafkaException;
import org.junit.jupiter.api.Test;

class EventPublisherTest {

  @Test
  void shouldLetTheOperatorTuneAllButTheGuarantees() {
    Map<String, Object> settings =
        EventPublisher.withRequired(
            Map.of(
                "bootstrap.servers", "127.0.0.1:1",
                "linger.ms", 20,
                "compression.type", "zstd",
                "acks", "1",
                "enable.idempotence", "false"));

    assertThat(settings)
        .containsEntry("bootstrap.servers", "127.0.0.1:1")
        .containsEntry("linger.ms", 20)
        .containsEntry("compression.type", "zstd")
        .containsEntry("acks", "all")
        .containsEntry("enable.idempotence", true);
  }

  @Test
  void shouldStartWithoutABroker() {
    try (AlsIngest ingest =
        AlsIngest.create(
            Map.of("bootstrap.servers", "127.0.0.1:1"),
            () -> PoolIndex.EMPTY,
            Ticker.system(),
            new SimpleMeterRegistry())) {
      assertThat(ingest.service().bindService().getServiceDescriptor().getName())
          .isEqualTo("envoy.service.accesslog.v3.AccessLogService");
    }
  }

  @Test
  void shouldRefuseSettingsThatBreakTheOrder() {
    assertThatThrownBy(
            () ->
                EventPublisher.producer(
                    Map.of(
                        "bootstrap.servers",
                        "127.0.0.1:1",
                        "max.in.flight.requests.per.connection",
                        6)))
        .isInstanceOf(KafkaException.class);
  }
}
