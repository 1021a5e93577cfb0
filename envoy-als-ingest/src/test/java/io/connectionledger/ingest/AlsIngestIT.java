package io.connectionledger.ingest;

import static io.connectionledger.ingest.Entries.ended;
import static io.connectionledger.ingest.Entries.firstMessage;
import static io.connectionledger.ingest.Entries.message;
import static io.connectionledger.ingest.Entries.opened;
import static io.connectionledger.ingest.Entries.periodic;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.connectionledger.ingest.translate.ReadableLogsTest;
import io.connectionledger.model.Topics;
import io.connectionledger.model.UnreadableRecordException;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.ConnectionEvent.Alive;
import io.connectionledger.model.event.RecordCodec;
import io.connectionledger.model.policy.PoolIndex;
import io.connectionledger.testkit.InProcessService;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPAccessLogEntry;
import io.envoyproxy.envoy.service.accesslog.v3.AccessLogServiceGrpc;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsMessage;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsResponse;
import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AlsIngestIT {

  private static final long NOW_MS = 1_800_000_000_000L;
  private static final int MAX_STREAMS = 20;

  private final MockProducer<byte[], byte[]> kafka =
      new MockProducer<>(false, null, new ByteArraySerializer(), new ByteArraySerializer());
  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final AlsIngest ingest =
      new AlsIngest(kafka, () -> PoolIndex.EMPTY, () -> NOW_MS * 1_000_000, registry, MAX_STREAMS);
  private InProcessService service;

  @BeforeEach
  void start() throws IOException {
    service = InProcessService.start(ingest.service());
  }

  @AfterEach
  void stop() throws InterruptedException {
    service.close();
  }

  /** The Envoy's side of one stream. */
  private final class Envoy implements StreamObserver<StreamAccessLogsResponse> {
    private final CompletableFuture<Status> end = new CompletableFuture<>();
    private final StreamObserver<StreamAccessLogsMessage> out;

    Envoy() {
      this(service);
    }

    Envoy(InProcessService other) {
      out = AccessLogServiceGrpc.newStub(other.channel()).streamAccessLogs(this);
    }

    void send(StreamAccessLogsMessage message) {
      out.onNext(message);
    }

    void cancel() {
      ((ClientCallStreamObserver<StreamAccessLogsMessage>) out).cancel("gone", null);
    }

    @Override
    public void onNext(StreamAccessLogsResponse response) {}

    @Override
    public void onError(Throwable failure) {
      end.complete(((StatusRuntimeException) failure).getStatus());
    }

    @Override
    public void onCompleted() {
      end.complete(Status.OK);
    }

    Status end() throws InterruptedException, ExecutionException, TimeoutException {
      return end.get(10, TimeUnit.SECONDS);
    }
  }

  private void awaitWritten(int records) {
    await().untilAsserted(() -> assertThat(kafka.history()).hasSize(records));
  }

  private void assertStaysAt(int records) {
    await()
        .during(Duration.ofMillis(200))
        .untilAsserted(() -> assertThat(kafka.history()).hasSize(records));
  }

  private void awaitMetric(String line) {
    await().untilAsserted(() -> assertThat(registry.scrape()).contains(line + "\n"));
  }

  private ConnectionEvent event(int index) {
    try {
      return RecordCodec.decodeEvent(kafka.history().get(index).value());
    } catch (UnreadableRecordException unreadable) {
      throw new AssertionError(unreadable);
    }
  }

  private static String header(ProducerRecord<byte[], byte[]> record, String key) {
    return new String(record.headers().lastHeader(key).value(), UTF_8);
  }

  @Test
  void shouldGoOnAfterAStringThatIsNotUtf8() throws Exception {
    // Given
    MethodDescriptor<byte[], StreamAccessLogsResponse> raw =
        AccessLogServiceGrpc.getStreamAccessLogsMethod().toBuilder(
                new MethodDescriptor.Marshaller<byte[]>() {
                  @Override
                  public InputStream stream(byte[] bytes) {
                    return new ByteArrayInputStream(bytes);
                  }

                  @Override
                  public byte[] parse(InputStream in) {
                    throw new IllegalStateException("nobody asks for it");
                  }
                },
                AccessLogServiceGrpc.getStreamAccessLogsMethod().getResponseMarshaller())
            .build();
    Envoy unused = new Envoy();
    StreamObserver<byte[]> out =
        ClientCalls.asyncClientStreamingCall(
            service.channel().newCall(raw, CallOptions.DEFAULT), unused);
    HTTPAccessLogEntry.Builder bad = periodic("a").toBuilder();
    bad.getCommonPropertiesBuilder().setStreamId("@@");
    // When
    out.onNext(ReadableLogsTest.withBadBytes(firstMessage("envoy-1", bad.build(), periodic("b"))));
    awaitWritten(2);
    kafka.completeNext();
    kafka.completeNext();
    out.onNext(Entries.message(opened("c")).toByteArray());
    awaitWritten(3);
    // Then
    assertThat(event(0))
        .isInstanceOfSatisfying(
            Alive.class,
            alive ->
                assertThat(alive.pods().values()).singleElement().isEqualTo(List.of("a", "b")));
    assertThat(header(kafka.history().get(1), "reason")).startsWith("a string is not UTF-8");
    assertThat(kafka.history().get(2).topic()).isEqualTo(Topics.CONNECTIONS);
    awaitMetric("ledger_dead_letters_total{cause=\"not_utf8\"} 1.0");
  }

  @Test
  void shouldRefuseAStreamTooManyAndTakeAnotherWhenOneHasEnded() throws Exception {
    List<Envoy> streams = new ArrayList<>();
    for (int i = 0; i < MAX_STREAMS; i++) {
      streams.add(new Envoy());
    }
    awaitMetric("ledger_als_streams " + MAX_STREAMS + ".0");

    Envoy refused = new Envoy();

    assertThat(refused.end().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    awaitMetric("ledger_envoys_refused_total{cause=\"too_many_streams\"} 1.0");
    streams.getFirst().cancel();
    awaitMetric("ledger_als_streams " + (MAX_STREAMS - 1) + ".0");
    new Envoy().send(firstMessage("envoy-1", opened("a")));
    awaitWritten(1);
  }

  @Test
  void shouldWriteAnEventUnderItsPoolWithTheReceiversTime() {
    Envoy envoy = new Envoy();

    envoy.send(firstMessage("envoy-1", opened("a")));
    awaitWritten(1);

    ProducerRecord<byte[], byte[]> record = kafka.history().getFirst();
    assertThat(record.topic()).isEqualTo(Topics.CONNECTIONS);
    assertThat(record.key()).isEqualTo("chat".getBytes(UTF_8));
    assertThat(record.timestamp()).isEqualTo(NOW_MS);
    assertThat(event(0))
        .isInstanceOfSatisfying(
            ConnectionEvent.Opened.class,
            opened -> {
              assertThat(opened.envoy()).isEqualTo("envoy-1");
              assertThat(opened.connection()).isEqualTo("a");
              assertThat(opened.atMs()).isEqualTo(NOW_MS);
            });
  }

  @Test
  void shouldAskForTheNextMessageOnlyWhenKafkaHasAllOfTheLast() {
    Envoy envoy = new Envoy();

    envoy.send(firstMessage("envoy-1", opened("a"), opened("b"), periodic("not an id")));
    envoy.send(message(ended("a")));
    awaitWritten(3);

    assertStaysAt(3);
    kafka.completeNext();
    kafka.completeNext();
    assertStaysAt(3);
    kafka.completeNext();
    awaitWritten(4);
    assertThat(event(3)).isInstanceOf(ConnectionEvent.Closed.class);
  }

  @Test
  void shouldSayForHowLongKafkaHasNotTakenWhatIsHeard() throws Exception {
    // Given
    Cluster cluster =
        Cluster.empty()
            .withPartitions(
                Map.of(
                    new TopicPartition(Topics.ENVOYS, 0),
                    new PartitionInfo(Topics.ENVOYS, 0, null, new Node[0], new Node[0])));
    MockProducer<byte[], byte[]> slow =
        new MockProducer<>(
            cluster, false, null, new ByteArraySerializer(), new ByteArraySerializer());
    AtomicLong nowMs = new AtomicLong(NOW_MS);
    try (AlsIngest its =
            new AlsIngest(
                slow,
                () -> PoolIndex.EMPTY,
                () -> nowMs.get() * 1_000_000,
                new SimpleMeterRegistry());
        InProcessService itsService = InProcessService.start(its.service())) {
      // When
      new Envoy(itsService).send(firstMessage("envoy-1", opened("a")));
      await().until(() -> told(slow, Topics.CONNECTIONS).size() == 1);
      nowMs.set(NOW_MS + 60_000);
      int before = told(slow, Topics.ENVOYS).size();
      await().until(() -> told(slow, Topics.ENVOYS).size() > before + 1);
      // Then
      assertThat(RecordCodec.decodePresence(told(slow, Topics.ENVOYS).getLast().value()).lagMs())
          .isEqualTo(60_000);
      while (slow.completeNext()) {
        // the event is among them
      }
      await()
          .until(
              () ->
                  RecordCodec.decodePresence(told(slow, Topics.ENVOYS).getLast().value()).lagMs()
                      == 0);
    }
  }

  private static List<ProducerRecord<byte[], byte[]>> told(
      MockProducer<byte[], byte[]> kafka, String topic) {
    return kafka.history().stream().filter(record -> record.topic().equals(topic)).toList();
  }

  @Test
  void shouldAskForTheNextMessageWhenTheLastMeantNothing() {
    Envoy envoy = new Envoy();

    envoy.send(firstMessage("envoy-1"));
    envoy.send(message());
    envoy.send(message(opened("a")));

    awaitWritten(1);
  }

  @Test
  void shouldLetOneEnvoyGoOnWhileAnotherWaitsForKafka() {
    Envoy waiting = new Envoy();
    waiting.send(firstMessage("envoy-1", opened("a")));
    awaitWritten(1);
    Envoy other = new Envoy();

    other.send(firstMessage("envoy-2", opened("b")));

    awaitWritten(2);
    assertThat(event(1).envoy()).isEqualTo("envoy-2");
  }

  @Test
  void shouldCountWhatKafkaDidNotTakeAndGoOn() {
    Envoy envoy = new Envoy();
    envoy.send(firstMessage("envoy-1", opened("a")));
    envoy.send(message(ended("a")));
    awaitWritten(1);

    kafka.errorNext(new KafkaException("the broker is gone"));

    awaitWritten(2);
    awaitMetric("ledger_events_lost_total 1.0");
    kafka.completeNext();
    awaitMetric("ledger_events_total{type=\"closed\"} 1.0");
    assertThat(registry.scrape()).contains("ledger_events_total{type=\"opened\"} 0.0\n");
    assertThat(envoy.end).isNotDone();
  }

  @Test
  void shouldCountWhatAClosedProducerRefuses() {
    Envoy envoy = new Envoy();
    ingest.close();

    envoy.send(firstMessage("envoy-1", opened("a"), opened("b")));
    envoy.send(message(ended("a")));

    awaitMetric("ledger_events_lost_total 3.0");
    assertThat(envoy.end).isNotDone();
  }

  @Test
  void shouldLiveOnAfterEntriesThatItCannotRead() throws Exception {
    HTTPAccessLogEntry foreign = HTTPAccessLogEntry.getDefaultInstance();
    StreamAccessLogsMessage.Builder tcp = StreamAccessLogsMessage.newBuilder();
    tcp.getTcpLogsBuilder().addLogEntryBuilder().getCommonPropertiesBuilder().setSampleRate(1);
    Envoy envoy = new Envoy();

    envoy.send(firstMessage("envoy-1", foreign, opened("a"), periodic("not an id")));
    awaitWritten(3);
    List.of(1, 2, 3).forEach(record -> kafka.completeNext());
    envoy.send(tcp.build());
    awaitWritten(4);
    kafka.completeNext();
    envoy.send(message(ended("a")));
    awaitWritten(5);

    assertThat(kafka.history())
        .extracting(ProducerRecord::topic)
        .containsExactly(
            Topics.CONNECTIONS,
            Topics.DEAD_LETTERS,
            Topics.DEAD_LETTERS,
            Topics.DEAD_LETTERS,
            Topics.CONNECTIONS);
    ProducerRecord<byte[], byte[]> letter = kafka.history().get(2);
    assertThat(letter.key()).isEqualTo("envoy-1".getBytes(UTF_8));
    assertThat(header(letter, Topics.SOURCE_HEADER)).isEqualTo("envoy-1");
    assertThat(header(letter, Topics.REASON_HEADER)).contains("reservation 'not an id'");
    assertThat(header(letter, EventPublisher.TYPE_HEADER))
        .isEqualTo("envoy.data.accesslog.v3.HTTPAccessLogEntry");
    assertThat(HTTPAccessLogEntry.parseFrom(letter.value())).isEqualTo(periodic("not an id"));
    assertThat(registry.scrape())
        .contains(
            "ledger_dead_letters_total{cause=\"foreign\"} 1.0\n",
            "ledger_dead_letters_total{cause=\"malformed\"} 1.0\n",
            "ledger_dead_letters_total{cause=\"tcp\"} 1.0\n",
            "ledger_dead_letters_total{cause=\"too_many_pools\"} 0.0\n");
  }

  @Test
  void shouldCutALongDeadLetter() {
    HTTPAccessLogEntry.Builder foreign = HTTPAccessLogEntry.newBuilder();
    foreign.getRequestBuilder().setPath("/" + "x".repeat(100_000));
    Envoy envoy = new Envoy();

    envoy.send(firstMessage("envoy-1", foreign.build()));
    awaitWritten(1);

    ProducerRecord<byte[], byte[]> letter = kafka.history().getFirst();
    assertThat(letter.value()).hasSize(Topics.MAX_DEAD_LETTER_BYTES);
    assertThat(header(letter, Topics.REASON_HEADER))
        .endsWith("(cut from " + foreign.build().getSerializedSize() + " bytes)");
  }

  @Test
  void shouldRefuseAStreamThatDoesNotSayWhoItIs() throws Exception {
    Envoy envoy = new Envoy();

    envoy.send(message(opened("a")));

    assertThat(envoy.end().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(envoy.end().getDescription())
        .isEqualTo(
            "identifier.node.id of the stream's first message is missing: allowed are 1 to 256"
                + " printable ASCII characters");
    assertThat(kafka.history()).isEmpty();
    awaitMetric("ledger_als_streams 0.0");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 257, 100_000})
  void shouldRefuseANodeIdThatIsNone(int length) throws Exception {
    Envoy envoy = new Envoy();

    envoy.send(firstMessage("n".repeat(length), opened("a")));

    assertThat(envoy.end().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(envoy.end().getDescription()).doesNotContain("\n").hasSizeLessThan(200);
    assertThat(kafka.history()).isEmpty();
  }

  @Test
  void shouldShowOpenStreamsAndTakeACancelForAnEnd() {
    Envoy first = new Envoy();
    Envoy second = new Envoy();
    first.send(firstMessage("envoy-1"));
    second.send(firstMessage("envoy-1"));
    awaitMetric("ledger_als_streams 2.0");

    first.cancel();

    awaitMetric("ledger_als_streams 1.0");
  }

  @Test
  void shouldNotMindAnAcknowledgementAfterTheStreamHasEnded() {
    Envoy gone = new Envoy();
    gone.send(firstMessage("envoy-1", opened("a")));
    awaitWritten(1);
    gone.cancel();
    awaitMetric("ledger_als_streams 0.0");

    assertThat(kafka.completeNext()).isTrue();

    awaitMetric("ledger_events_total{type=\"opened\"} 1.0");
  }

  @Test
  void shouldAnswerTheEndOfAStreamWhenKafkaHasAllOfIt() throws Exception {
    Envoy envoy = new Envoy();
    envoy.send(firstMessage("envoy-1", opened("a")));
    envoy.out.onCompleted();
    awaitWritten(1);
    awaitMetric("ledger_als_streams 0.0");

    assertThat(envoy.end).isNotDone();
    kafka.completeNext();

    assertThat(envoy.end().isOk()).isTrue();
  }
}
