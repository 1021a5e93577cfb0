package io.connectionledger.admission.http.audit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.connectionledger.model.Topics;
import io.connectionledger.model.audit.AuditEntry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;

/** What is written of a change, and what whoever waits for it hears when Kafka is away. */
final class KafkaAuditTrailTest {

  private static final AuditEntry ENTRY =
      new AuditEntry(
          "a-1",
          "chat",
          AuditEntry.Action.PUT_POLICY,
          AuditEntry.Result.ASKED,
          "token:0123456789ab",
          "admin",
          "10.0.0.9",
          null,
          limit(3),
          limit(9),
          null,
          1_800_000_000_000L);

  private final MockProducer<byte[], byte[]> kafka =
      new MockProducer<>(false, null, new ByteArraySerializer(), new ByteArraySerializer());
  private final KafkaAuditTrail trail = new KafkaAuditTrail(kafka, new SimpleMeterRegistry());

  private static ObjectNode limit(int perPod) {
    return JsonNodeFactory.instance
        .objectNode()
        .put("perPodMaxConnections", perPod)
        .put("burstCapacity", 10);
  }

  private CompletableFuture<Void> write() {
    return trail.write(ENTRY).toCompletableFuture();
  }

  @Test
  void shouldHaveWrittenTheChangeOnceKafkaHasIt() throws Exception {
    CompletableFuture<Void> kept = write();
    assertThat(kept).isNotDone();

    kafka.completeNext();

    assertThat(kept).isCompleted();
    ProducerRecord<byte[], byte[]> record = kafka.history().getFirst();
    assertThat(kafka.history()).hasSize(1);
    assertThat(record.topic()).isEqualTo(Topics.AUDIT);
    assertThat(record.key()).isEqualTo("chat".getBytes(UTF_8));
    assertThat(AuditEntry.decode(record.value())).isEqualTo(ENTRY);
    assertThat(new String(record.value(), UTF_8))
        .contains(
            "\"action\":\"put_policy\",\"result\":\"asked\",\"who\":\"token:0123456789ab\"",
            "\"before\":{\"perPodMaxConnections\":3},\"after\":{\"perPodMaxConnections\":9}");
  }

  @Test
  void shouldSayThatKafkaRefusedIt() {
    CompletableFuture<Void> late = write();
    kafka.errorNext(new NotEnoughReplicasException("one of two"));
    kafka.sendException = new KafkaException("the buffer is full");
    CompletableFuture<Void> atOnce = write();

    assertThat(late).isCompletedExceptionally();
    assertThat(late.exceptionNow()).hasMessage("one of two");
    assertThat(atOnce.exceptionNow()).hasMessage("the buffer is full");
  }

  /** Whoever asked for the change is answered 503 then: {@code PolicyRoutesTest}. */
  @Test
  void shouldSayWithinSecondsThatKafkaIsAway() throws Exception {
    try (ServerSocket nobody = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        KafkaAuditTrail away =
            KafkaAuditTrail.connect(
                Map.of("bootstrap.servers", "127.0.0.1:" + nobody.getLocalPort()),
                new SimpleMeterRegistry())) {
      CompletableFuture<Void> kept =
          CompletableFuture.supplyAsync(() -> away.write(ENTRY)).thenCompose(written -> written);

      assertThat(kept)
          .failsWithin(KafkaAuditTrail.WRITE_TIMEOUT.plus(Duration.ofSeconds(10)))
          .withThrowableThat()
          .withCauseInstanceOf(TimeoutException.class);
    }
  }
}
