package io.connectionledger.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.admission.check.Durability;
import io.connectionledger.admission.decisionlog.KafkaDecisionLog;
import io.connectionledger.admission.http.MemoryAuditTrail;
import io.connectionledger.admission.http.auth.HttpAccess;
import io.connectionledger.admission.http.port.HttpSettings;
import io.connectionledger.admission.peer.grpc.GrpcPeers;
import io.connectionledger.model.Ticker;
import io.grpc.InsecureChannelCredentials;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.micrometer.core.instrument.Meter;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.List;
import java.util.Set;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;

final class AdmissionApiIT {

  private final ScriptedLedger ledger = new ScriptedLedger();
  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final MockProducer<byte[], byte[]> kafka = producer();

  @Test
  void shouldBeReadyOnlyWhenLedgerTopicAndCheckPathAre() {
    // Given
    ledger.status = "restoring open-connections: 3 of 12 partitions";
    try (AdmissionApi api = api()) {
      // When
      List<String> before = api.unready();
      ServingStatus healthBefore = health(api);
      ledger.status = "ready";
      api.warmUp();
      api.serving();
      // Then
      assertThat(before)
          .containsExactly(
              "restoring open-connections: 3 of 12 partitions",
              "the instance is still starting",
              "the check path is not warm yet");
      assertThat(healthBefore).isEqualTo(ServingStatus.NOT_SERVING);
      assertThat(api.unready()).isEmpty();
      assertThat(health(api)).isEqualTo(ServingStatus.SERVING);
    }
  }

  @Test
  void shouldLeaveNothingOfTheWarmUpInTheMeters() {
    // Given
    try (AdmissionApi api = api()) {
      List<Meter.Id> before = registry.getMeters().stream().map(Meter::getId).toList();
      // When
      api.warmUp();
      api.serving();
      // Then
      assertThat(registry.getMeters()).extracting(Meter::getId).containsAll(before);
      assertThat(registry.getMeters()).hasSameSizeAs(before);
      assertThat(registry.get("ledger.decision").timers())
          .allSatisfy(timer -> assertThat(timer.count()).isZero());
      assertThat(kafka.history()).isEmpty();
      assertThat(ledger.asked).isEmpty();
    }
  }

  @Test
  void shouldCloseItsProducer() {
    // Given
    AdmissionApi api = api();
    int port = api.startHttp(HttpSettings.on("127.0.0.1", 0), HttpAccess.open());
    // When
    api.close();
    // Then
    assertThat(port).isPositive();
    assertThat(kafka.closed()).isTrue();
  }

  private AdmissionApi api() {
    return new AdmissionApi(
        ledger.ledger(),
        new ScriptedPolicies(),
        new KafkaDecisionLog(kafka),
        new NoDecisions(),
        new MemoryAuditTrail(),
        new GrpcPeers(InsecureChannelCredentials.create(), Ticker.system()),
        new NoSimulations(),
        Durability.FAST,
        Ticker.system(),
        registry);
  }

  private static ServingStatus health(AdmissionApi api) {
    RecordingCall<HealthCheckResponse> call = new RecordingCall<>();
    ((HealthService) api.health()).check(HealthCheckRequest.getDefaultInstance(), call);
    return call.onlyResponse().getStatus();
  }

  private static MockProducer<byte[], byte[]> producer() {
    PartitionInfo partition =
        new PartitionInfo("ledger.decisions", 0, Node.noNode(), new Node[0], new Node[0]);
    Cluster cluster = new Cluster("c", List.of(), List.of(partition), Set.of(), Set.of());
    ByteArraySerializer bytes = new ByteArraySerializer();
    return new MockProducer<>(cluster, true, null, bytes, bytes);
  }
}
