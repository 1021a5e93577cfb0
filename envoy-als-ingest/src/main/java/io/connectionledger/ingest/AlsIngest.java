package io.connectionledger.ingest;

import io.connectionledger.ingest.translate.ReadableLogs;
import io.connectionledger.model.LogRateLimiter;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.policy.PoolIndex;
import io.envoyproxy.envoy.service.accesslog.v3.AccessLogServiceGrpc;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsResponse;
import io.grpc.BindableService;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.kafka.KafkaClientMetrics;
import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.Producer;

/**
 * The ingest of Envoy's access logs (gRPC AccessLogService v3): the service to put into a gRPC
 * server, and the Kafka producer behind it. Thread-safe.
 *
 * <p>A call may wait on its thread while Kafka is away, for the operator's {@code max.block.ms}
 * (Kafka's default is a minute), so the server needs an executor of its own that other services do
 * not share.
 */
public final class AlsIngest implements AutoCloseable {

  /** Streams at once, of all Envoys; an Envoy has one for each worker and access log. */
  static final int MAX_STREAMS = 50_000;

  /** Between two lines about streams that begin or end: an Envoy begins many at once. */
  private static final Duration LINES = Duration.ofMillis(20);

  private final KafkaClientMetrics producerMetrics;
  private final EventPublisher publisher;
  private final PresenceBeacon presence;
  private final BindableService service;

  AlsIngest(
      Producer<byte[], byte[]> producer,
      Supplier<PoolIndex> pools,
      Ticker ticker,
      MeterRegistry registry) {
    this(producer, pools, ticker, registry, MAX_STREAMS);
  }

  AlsIngest(
      Producer<byte[], byte[]> producer,
      Supplier<PoolIndex> pools,
      Ticker ticker,
      MeterRegistry registry,
      int maxStreams) {
    IngestMetrics metrics = new IngestMetrics(registry);
    producerMetrics = new KafkaClientMetrics(producer);
    producerMetrics.bindTo(registry);
    publisher = new EventPublisher(producer, ticker, metrics);
    NodeIds nodeIds = new NodeIds(ticker, metrics);
    presence = new PresenceBeacon(ticker, nodeIds::problems, publisher::publish);
    service = new Service(publisher, pools, ticker, metrics, presence, nodeIds, maxStreams);
  }

  /**
   * Starts the producer, without waiting for Kafka.
   *
   * @param kafkaSettings of the Kafka client, {@code bootstrap.servers} at least; acknowledgements
   *     and idempotence are not the operator's choice
   * @param pools what the pools claim now; asked for every message, by any thread
   * @throws org.apache.kafka.common.KafkaException when a setting is wrong
   */
  public static AlsIngest create(
      Map<String, Object> kafkaSettings,
      Supplier<PoolIndex> pools,
      Ticker ticker,
      MeterRegistry registry) {
    return new AlsIngest(EventPublisher.producer(kafkaSettings), pools, ticker, registry);
  }

  /** The service, always the same one. */
  public BindableService service() {
    return service;
  }

  /**
   * Falls silent about the Envoys that are heard here. To be called before their streams are ended:
   * they go to another ingest, and are not dead.
   */
  public void leave() {
    presence.close();
  }

  /**
   * Flushes, for ten seconds at most, and stops. Close the gRPC server first: what arrives later is
   * counted as lost. Idempotent.
   */
  @Override
  public void close() {
    presence.close();
    producerMetrics.close();
    publisher.close();
  }

  /** The service of AccessLogServiceGrpc, with a reading of its messages of our own. */
  private static final class Service implements BindableService {
    private static final MethodDescriptor<ReadableLogs.Received, StreamAccessLogsResponse> METHOD =
        AccessLogServiceGrpc.getStreamAccessLogsMethod().toBuilder(
                ReadableLogs.MARSHALLER,
                AccessLogServiceGrpc.getStreamAccessLogsMethod().getResponseMarshaller())
            .build();

    private final LogRateLimiter lines;
    private final EventPublisher publisher;
    private final Supplier<PoolIndex> pools;
    private final Ticker ticker;
    private final IngestMetrics metrics;
    private final PresenceBeacon presence;
    private final NodeIds nodeIds;
    private final int maxStreams;

    Service(
        EventPublisher publisher,
        Supplier<PoolIndex> pools,
        Ticker ticker,
        IngestMetrics metrics,
        PresenceBeacon presence,
        NodeIds nodeIds,
        int maxStreams) {
      this.lines = new LogRateLimiter(ticker, LINES);
      this.publisher = publisher;
      this.pools = pools;
      this.ticker = ticker;
      this.metrics = metrics;
      this.presence = presence;
      this.nodeIds = nodeIds;
      this.maxStreams = maxStreams;
    }

    @Override
    public ServerServiceDefinition bindService() {
      return ServerServiceDefinition.builder(
              ServiceDescriptor.newBuilder(AccessLogServiceGrpc.SERVICE_NAME)
                  .setSchemaDescriptor(
                      AccessLogServiceGrpc.getServiceDescriptor().getSchemaDescriptor())
                  .addMethod(METHOD)
                  .build())
          .addMethod(METHOD, ServerCalls.asyncClientStreamingCall(this::streamAccessLogs))
          .build();
    }

    private StreamObserver<ReadableLogs.Received> streamAccessLogs(
        StreamObserver<StreamAccessLogsResponse> responses) {
      // grpc-java hands every server method this type; nothing weaker can pull.
      var call = (ServerCallStreamObserver<StreamAccessLogsResponse>) responses;
      call.disableAutoRequest();
      if (metrics.streams() >= maxStreams) {
        String problem =
            "this instance has " + maxStreams + " access-log streams, the most it takes";
        nodeIds.refused(problem, NodeIds.Refusal.TOO_MANY);
        call.onError(Status.RESOURCE_EXHAUSTED.withDescription(problem).asRuntimeException());
        return new Refused();
      }
      AccessLogObserver observer =
          new AccessLogObserver(call, publisher, pools, ticker, metrics, presence, nodeIds, lines);
      observer.start();
      return observer;
    }
  }

  /** Of a stream that was ended before it said anything. */
  private static final class Refused implements StreamObserver<ReadableLogs.Received> {
    @Override
    public void onNext(ReadableLogs.Received received) {
      // Nothing was asked for.
    }

    @Override
    public void onError(Throwable failure) {
      // Its answer has been an error already.
    }

    @Override
    public void onCompleted() {
      // As above.
    }
  }
}
