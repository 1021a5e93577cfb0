package io.connectionledger.app.serve;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.kafka.KafkaClientMetrics;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;

final class LedgerNodeMetricsTest {

  @Test
  void shouldFollowPrometheusRulesWhateverABinderCallsItsMeters() {
    // Given
    try (LedgerNodeMetrics metrics = new LedgerNodeMetrics()) {
      PrometheusMeterRegistry registry = metrics.registry();
      Gauge.builder("shop.door.count", () -> 3).register(registry);
      Gauge.builder("shop.wait.ns.avg", () -> 3).description("Waiting").register(registry);
      FunctionCounter.builder("shop.time", this, unused -> 3).baseUnit("ns").register(registry);
      Timer.builder("shop.visit").tag("paymentMethod", "cash").register(registry);
      // When
      String page = registry.scrape();
      // Then
      assertThat(MetricsPage.problems(page)).isEmpty();
      assertThat(page)
          .contains("shop_doors 3.0", "shop_visit_seconds_count{payment_method=\"cash\"}")
          .doesNotContain("shop_wait", "shop_time");
    }
  }

  @Test
  void shouldTellOfTheProcessTheVirtualMachineAndKafkasClients() {
    // Given
    ByteArraySerializer bytes = new ByteArraySerializer();
    try (LedgerNodeMetrics metrics = new LedgerNodeMetrics();
        KafkaProducer<byte[], byte[]> producer =
            new KafkaProducer<>(
                Map.of("bootstrap.servers", "127.0.0.1:1", "client.id", "test"), bytes, bytes);
        KafkaClientMetrics client = new KafkaClientMetrics(producer)) {
      client.bindTo(metrics.registry());
      // When
      String page = metrics.registry().scrape();
      // Then
      assertThat(MetricsPage.problems(page)).isEmpty();
      assertThat(page)
          .contains(
              "process_cpu_seconds_total ",
              "process_uptime_seconds ",
              "jvm_memory_used_bytes{",
              "jvm_threads_live_threads ",
              "kafka_producer_record_send_total{client_id=\"test\"");
    }
  }
}
