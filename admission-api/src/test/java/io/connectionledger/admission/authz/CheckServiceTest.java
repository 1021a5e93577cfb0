package io.connectionledger.admission.authz;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Value;
import io.connectionledger.admission.RecordingCall;
import io.connectionledger.admission.ScriptedLedger;
import io.connectionledger.admission.check.Admission;
import io.connectionledger.admission.check.Durability;
import io.connectionledger.admission.decisionlog.DecisionLog;
import io.connectionledger.admission.decisionlog.DecisionPublisher;
import io.connectionledger.admission.decisionlog.KafkaDecisionLog;
import io.connectionledger.admission.metrics.AdmissionMetrics;
import io.connectionledger.admission.peer.Peers;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Topics;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.DecisionInputs;
import io.connectionledger.model.event.RecordCodec;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.PoolPolicy.Mode;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption.HeaderAppendAction;
import io.envoyproxy.envoy.service.auth.v3.AttributeContext;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.envoyproxy.envoy.service.auth.v3.OkHttpResponse;
import io.grpc.Status;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class CheckServiceTest {

  private static final Decision.Allowed ALLOWED =
      new Decision.Allowed("chat", "r-1", new PodAddress("10.0.0.7", 8080), 0, 1_700_000_000_000L);

  private final ScriptedLedger ledger = new ScriptedLedger();
  private final MockProducer<byte[], byte[]> kafka =
      new MockProducer<>(false, null, new ByteArraySerializer(), new ByteArraySerializer());
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final AtomicLong nowNanos = new AtomicLong(1_700_000_000_000_000_000L);
  private final RecordingCall<CheckResponse> call = new RecordingCall<>();

  CheckServiceTest() {
    ledger.pools.add("chat");
  }

  @Test
  void shouldAnswerAnAllowedCheckWithPodAndReservation() throws Exception {
    // Given
    ledger.decisions.add(ALLOWED);
    // When
    service(Durability.FAST).check(webSocket("chat"), call);
    // Then
    CheckResponse answer = call.onlyResponse();
    assertThat(answer.getStatus().getCode()).isEqualTo(Status.Code.OK.value());
    HeaderValueOption header = answer.getOkResponse().getHeaders(0);
    assertThat(headers(answer.getOkResponse().getHeadersList()))
        .containsOnlyKeys("x-ledger-pod", "x-ledger-endpoint")
        .containsEntry("x-ledger-endpoint", "10.0.0.7:8080");
    assertThat(header.getHeader().getKey()).isEqualTo("x-ledger-pod");
    assertThat(
            new String(
                Base64.getDecoder().decode(header.getHeader().getValue()), StandardCharsets.UTF_8))
        .isEqualTo("10.0.0.7:8080");
    assertThat(header.getAppendAction()).isEqualTo(HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD);
    assertThat(metadata(answer))
        .isEqualTo(
            Map.of(
                "pod", "10.0.0.7:8080", "reservation", "r-1", "decision", "r-1", "pool", "chat"));
    assertThat(headers(answer.getOkResponse().getResponseHeadersToAddList()))
        .isEqualTo(Map.of("x-ledger-decision", "r-1"));
    ProducerRecord<byte[], byte[]> record = kafka.history().getFirst();
    assertThat(record.topic()).isEqualTo(Topics.DECISIONS);
    assertThat(new String(record.key(), StandardCharsets.UTF_8)).isEqualTo("chat");
    assertThat(RecordCodec.decodeDecision(record.value())).isEqualTo(ALLOWED);
  }

  @ParameterizedTest
  @EnumSource(value = RejectionReason.class, mode = EnumSource.Mode.EXCLUDE, names = "UNKNOWN_POOL")
  void shouldAnswerARejectedCheckAtOnceWhateverTheDurability(RejectionReason reason)
      throws Exception {
    // Given
    Decision.Rejected rejected =
        new Decision.Rejected("chat", "d-1", reason, null, 7, 1_700_000_000_000L);
    ledger.decisions.add(rejected);
    // When
    service(Durability.ACKNOWLEDGED).check(webSocket("chat"), call);
    // Then
    CheckResponse answer = call.onlyResponse();
    assertThat(answer.getStatus().getCode()).isEqualTo(Status.Code.PERMISSION_DENIED.value());
    assertThat(answer.getDeniedResponse().getStatus().getCodeValue())
        .isEqualTo(reason.httpStatus());
    assertThat(headers(answer.getDeniedResponse().getHeadersList()))
        .isEqualTo(
            Map.of(
                "retry-after",
                "7",
                "content-type",
                "application/json",
                "x-ledger-decision",
                "d-1"));
    assertThat(answer.getDeniedResponse().getBody())
        .isEqualTo(
            "{\"reason\":\"%s\",\"pool\":\"chat\",\"retryAfterSeconds\":7}"
                .formatted(reason.label()));
    assertThat(metadata(answer))
        .isEqualTo(Map.of("pool", "chat", "reason", reason.label(), "decision", "d-1"));
    assertThat(RecordCodec.decodeDecision(kafka.history().getFirst().value())).isEqualTo(rejected);
    assertThat(counted("websocket.connections.rejected", "reason", reason.label())).isEqualTo(1);
    assertThat(counted("websocket.connections.attempted", "pool", "chat")).isEqualTo(1);
  }

  @Test
  void shouldLetAShadowedRejectionPassRecordedAndCounted() throws Exception {
    // Given
    Decision.Rejected shadowed =
        new Decision.Rejected(
            "chat", "d-1", RejectionReason.POD_LIMIT, null, 7, 1_700_000_000_000L, Mode.SHADOW);
    ledger.decisions.add(shadowed);
    // When
    service(Durability.FAST).check(webSocket("chat"), call);
    // Then
    CheckResponse answer = call.onlyResponse();
    assertThat(answer.getStatus().getCode()).isEqualTo(Status.Code.OK.value());
    assertThat(answer.getOkResponse().getHeadersList()).isEmpty();
    assertThat(metadata(answer))
        .isEqualTo(Map.of("pool", "chat", "reason", "pod_limit", "decision", "d-1"));
    assertThat(RecordCodec.decodeDecision(kafka.history().getFirst().value())).isEqualTo(shadowed);
    assertThat(counted("websocket.connections.rejected", "reason", "pod_limit")).isEqualTo(1);
  }

  @Test
  void shouldNotPlaceAShadowedAdmission() {
    // Given
    ledger.decisions.add(
        new Decision.Allowed("chat", "r-1", ALLOWED.pod(), 0, ALLOWED.atMs(), Mode.SHADOW, null));
    // When
    service(Durability.FAST).check(webSocket("chat"), call);
    // Then
    CheckResponse answer = call.onlyResponse();
    assertThat(answer.getOkResponse().getHeadersList()).isEmpty();
    assertThat(metadata(answer))
        .isEqualTo(Map.of("reservation", "r-1", "decision", "r-1", "pool", "chat"));
  }

  @Test
  void shouldCountARateLimitedCheckUnderItsOwnName() {
    // Given
    ledger.decisions.add(
        new Decision.Rejected("chat", "d-1", RejectionReason.RATE_LIMITED, null, 1, 1));
    // When
    service(Durability.FAST).check(webSocket("chat"), call);
    // Then
    assertThat(counted("websocket.connection.rate.limited", "pool", "chat")).isEqualTo(1);
  }

  @Test
  void shouldTakeTheOnlyPoolWhenTheRouteNamesNone() {
    // Given
    ledger.decisions.add(ALLOWED);
    // When
    service(Durability.FAST).check(webSocket(), call);
    // Then
    assertThat(ledger.asked).containsExactly("chat");
    assertThat(call.onlyResponse().hasOkResponse()).isTrue();
  }

  @Test
  void shouldRejectACheckWithoutPoolWhenThereAreSeveral() {
    // Given
    ledger.pools.add("game");
    // When
    service(Durability.FAST).check(webSocket(), call);
    // Then
    assertThat(call.onlyResponse().getDeniedResponse().getBody())
        .isEqualTo("{\"reason\":\"unknown_pool\",\"pool\":\"\",\"retryAfterSeconds\":30}");
  }

  @Test
  void shouldRejectUnknownPoolsWithoutRecordOrSeriesOfTheirOwn() {
    // Given
    CheckService service = service(Durability.FAST);
    int series = registry.getMeters().size();
    // When
    for (int i = 0; i < 100; i++) {
      service.check(webSocket("invented-" + i), new RecordingCall<>());
    }
    service.check(webSocket("no\"such\npool"), call);
    // Then
    assertThat(call.onlyResponse().getDeniedResponse().getStatus().getCodeValue()).isEqualTo(503);
    assertThat(metadata(call.onlyResponse()))
        .isEqualTo(Map.of("pool", "", "reason", "unknown_pool", "decision", "unknown-1"));
    assertThat(kafka.history()).isEmpty();
    assertThat(registry.getMeters()).hasSize(series);
    assertThat(counted("websocket.connections.rejected", "pool", "unknown")).isEqualTo(101);
    assertThat(counted("websocket.connections.attempted", "pool", "unknown")).isEqualTo(101);
  }

  @Test
  void shouldPassWhatIsNoWebSocketUntouchedAndUncounted() {
    // Given
    CheckRequest plain =
        CheckRequest.newBuilder().setAttributes(attributes("chat", Map.of())).build();
    // When
    service(Durability.FAST).check(plain, call);
    // Then
    CheckResponse answer = call.onlyResponse();
    assertThat(answer.getOkResponse()).isEqualTo(OkHttpResponse.getDefaultInstance());
    assertThat(answer.getStatus().getCode()).isEqualTo(Status.Code.OK.value());
    assertThat(answer.hasDynamicMetadata()).isFalse();
    assertThat(ledger.asked).isEmpty();
    assertThat(kafka.history()).isEmpty();
    assertThat(registry.find("websocket.connections.attempted").tag("pool", "chat").counter())
        .isNull();
  }

  @Test
  void shouldRefuseAMalformedCheckWithOneLine() {
    // When
    service(Durability.FAST).check(CheckRequest.getDefaultInstance(), call);
    // Then
    Status status = Status.fromThrowable(call.error);
    assertThat(status.getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(status.getDescription())
        .isEqualTo("attributes.request.http is missing: only HTTP requests can be checked");
    assertThat(ledger.asked).isEmpty();
  }

  @Test
  void shouldAnswerBeforeKafkaWhenFast() {
    // Given
    ledger.decisions.add(ALLOWED);
    // When
    service(Durability.FAST).check(webSocket("chat"), call);
    // Then
    assertThat(call.onlyResponse().hasOkResponse()).isTrue();
    assertThat(kafka.history()).hasSize(1);
    assertThat(kafka.completeNext()).isTrue();
    assertThat(call.responses).hasSize(1);
    assertThat(ledger.released).isEmpty();
  }

  @Test
  void shouldAnswerNoMoreOfAPodBeforeKafkaThanMayBeLost() {
    // Given
    DecisionInputs basis =
        new DecisionInputs(DecisionInputs.Choice.LEAST_CONNECTIONS, null, 1, 0, 0, 0, 20, 0, null);
    List<RecordingCall<CheckResponse>> calls = new ArrayList<>();
    CheckService service = service(Durability.FAST);
    for (int i = 0; i < 4; i++) {
      ledger.decisions.add(
          new Decision.Allowed("chat", "r-" + i, ALLOWED.pod(), 0, ALLOWED.atMs(), null, basis));
      calls.add(new RecordingCall<>());
    }
    // When
    calls.forEach(each -> service.check(webSocket("chat"), each));
    List<Boolean> before = calls.stream().map(RecordingCall::isAnswered).toList();
    for (int i = 0; i < 3; i++) {
      kafka.completeNext();
    }
    // Then
    assertThat(before).containsExactly(true, true, false, false);
    assertThat(calls.stream().map(RecordingCall::isAnswered))
        .containsExactly(true, true, true, false);
  }

  @Test
  void shouldAnswerAfterKafkaWhileRoomIsHeldBack() {
    // Given
    ledger.reservesHeadroom = true;
    ledger.decisions.add(ALLOWED);
    service(Durability.FAST).check(webSocket("chat"), call);
    boolean before = call.isAnswered();
    // When
    kafka.completeNext();
    // Then
    assertThat(before).isFalse();
    assertThat(call.onlyResponse().hasOkResponse()).isTrue();
  }

  @Test
  void shouldCountAndKeepADecisionThatIsLostAfterItsFastAnswer() {
    // Given
    ledger.decisions.add(ALLOWED);
    service(Durability.FAST).check(webSocket("chat"), call);
    // When
    kafka.errorNext(new TimeoutException("expired"));
    // Then
    assertThat(call.onlyResponse().hasOkResponse()).isTrue();
    assertThat(ledger.released).isEmpty();
    assertThat(registry.get("ledger.decisions.lost").counter().count()).isEqualTo(1);
  }

  @Test
  void shouldAnswerAfterKafkaWhenAcknowledged() {
    // Given
    ledger.decisions.add(ALLOWED);
    service(Durability.ACKNOWLEDGED).check(webSocket("chat"), call);
    int answersBefore = call.responses.size();
    nowNanos.addAndGet(3_000_000);
    // When
    kafka.completeNext();
    // Then
    assertThat(answersBefore).isZero();
    assertThat(call.onlyResponse().hasOkResponse()).isTrue();
    assertThat(
            registry
                .get("ledger.decision")
                .tag("outcome", "allowed")
                .timer()
                .totalTime(TimeUnit.MILLISECONDS))
        .isEqualTo(3);
  }

  @Test
  void shouldGiveTheSlotBackWhenTheAcknowledgementFails() {
    // Given
    ledger.decisions.add(ALLOWED);
    service(Durability.ACKNOWLEDGED).check(webSocket("chat"), call);
    // When
    kafka.errorNext(new TimeoutException("expired"));
    // Then
    assertNoOwner();
    assertThat(registry.get("ledger.decisions.lost").counter().count()).isZero();
  }

  @ParameterizedTest
  @EnumSource(Durability.class)
  void shouldGiveTheSlotBackWhenKafkaTakesNothing(Durability durability) {
    // Given
    ledger.decisions.add(ALLOWED);
    kafka.sendException = new IllegalStateException("closed");
    // When
    service(durability).check(webSocket("chat"), call);
    // Then
    assertNoOwner();
  }

  /** KafkaProducer reports a full buffer through the callback, before send returns. */
  @ParameterizedTest
  @EnumSource(Durability.class)
  void shouldGiveTheSlotBackWhenTheBufferIsFull(Durability durability) {
    // Given
    ledger.decisions.add(ALLOWED);
    DecisionLog full =
        (decision, awaited, callback) ->
            callback.onCompletion(null, new TimeoutException("no room"));
    // When
    service(durability, full).check(webSocket("chat"), call);
    // Then
    assertNoOwner();
  }

  @Test
  void shouldGiveTheSlotBackWhenTheCallerLeavesBeforeTheAnswer() {
    // Given
    ledger.decisions.add(ALLOWED);
    service(Durability.ACKNOWLEDGED).check(webSocket("chat"), call);
    // When
    call.cancel();
    kafka.completeNext();
    // Then
    assertThat(ledger.released).containsExactly(ALLOWED);
    assertThat(call.responses).isEmpty();
  }

  @Test
  void shouldNotAnswerACallerThatLeftEvenWhenKafkaFails() {
    // Given
    ledger.decisions.add(ALLOWED);
    service(Durability.ACKNOWLEDGED).check(webSocket("chat"), call);
    // When
    call.cancel();
    kafka.errorNext(new TimeoutException("expired"));
    // Then
    assertThat(ledger.released).containsExactly(ALLOWED);
    assertThat(call.responses).isEmpty();
    assertThat(registry.get("ledger.decisions.lost").counter().count()).isZero();
  }

  @Test
  void shouldGiveTheSlotBackWhenAFastAnswerReachesNobody() {
    // Given
    ledger.decisions.add(ALLOWED);
    service(Durability.FAST).check(webSocket("chat"), call);
    // When
    call.cancel();
    // Then
    assertThat(ledger.released).containsExactly(ALLOWED);
  }

  private void assertNoOwner() {
    assertThat(ledger.released).containsExactly(ALLOWED);
    assertThat(call.onlyResponse().getDeniedResponse().getBody())
        .isEqualTo("{\"reason\":\"no_owner\",\"pool\":\"chat\",\"retryAfterSeconds\":1}");
    assertThat(counted("websocket.connections.rejected", "reason", "no_owner")).isEqualTo(1);
  }

  private CheckService service(Durability durability) {
    return service(durability, new KafkaDecisionLog(kafka));
  }

  private CheckService service(Durability durability, DecisionLog log) {
    AdmissionMetrics metrics = new AdmissionMetrics(registry);
    DecisionPublisher publisher = new DecisionPublisher(log, metrics, nowNanos::get);
    return new CheckService(
        new Admission(ledger.ledger(), Peers.NONE, publisher, durability, metrics, nowNanos::get));
  }

  private double counted(String name, String tag, String value) {
    return registry.get(name).tag(tag, value).counter().count();
  }

  private static CheckRequest webSocket(String... pool) {
    Map<String, String> upgrade = Map.of("connection", "Upgrade", "upgrade", "websocket");
    AttributeContext attributes =
        pool.length == 0 ? attributes(null, upgrade) : attributes(pool[0], upgrade);
    return CheckRequest.newBuilder().setAttributes(attributes).build();
  }

  private static AttributeContext attributes(@Nullable String pool, Map<String, String> headers) {
    AttributeContext.Builder attributes = AttributeContext.newBuilder();
    if (pool != null) {
      attributes.putContextExtensions("pool", pool);
    }
    attributes
        .getRequestBuilder()
        .getHttpBuilder()
        .setMethod("GET")
        .setProtocol("HTTP/1.1")
        .putAllHeaders(headers);
    return attributes.build();
  }

  private static Map<String, String> metadata(CheckResponse answer) {
    return answer.getDynamicMetadata().getFieldsMap().entrySet().stream()
        .collect(Collectors.toMap(Map.Entry::getKey, e -> text(e.getValue())));
  }

  private static String text(Value value) {
    return value.getStringValue();
  }

  private static Map<String, String> headers(List<HeaderValueOption> headers) {
    return headers.stream()
        .collect(Collectors.toMap(h -> h.getHeader().getKey(), h -> h.getHeader().getValue()));
  }
}
