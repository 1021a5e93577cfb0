package io.connectionledger.admission.authz;

import io.connectionledger.admission.check.Admission;
import io.connectionledger.admission.check.Durability;
import io.connectionledger.admission.decisionlog.DecisionBatcher;
import io.connectionledger.admission.decisionlog.DecisionLog;
import io.connectionledger.admission.decisionlog.DecisionPublisher;
import io.connectionledger.admission.metrics.AdmissionMetrics;
import io.connectionledger.admission.peer.Peers;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RecordCodec;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.streams.local.LocalLedger;
import io.envoyproxy.envoy.service.auth.v3.AttributeContext;
import io.envoyproxy.envoy.service.auth.v3.AttributeContext.HttpRequest;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerStreamTracer;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.Callback;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A short burst of checks before an instance is ready, so that no client waits for the classes of
 * the check path to be loaded. The checks go through a gRPC server on a loopback port to a ledger
 * of their own, and their decisions are not recorded.
 */
public final class Warmup {

  /** So many, and the quick compiler has seen the whole path. */
  static final int CHECKS = 1_000;

  private static final Logger LOGGER = LoggerFactory.getLogger(Warmup.class);
  private static final int IN_FLIGHT = 16;
  private static final Duration LIMIT = Duration.ofSeconds(8);
  private static final Duration SHUTDOWN = Duration.ofSeconds(1);

  /** One pool that allows, one that soon is full and one that soon is rate limited. */
  private static final List<PoolPolicy> POOLS =
      List.of(
          pool("allows", PoolPolicy.MAX_RATE, PoolPolicy.MAX_BURST, PoolPolicy.MAX_PER_POD),
          pool("full", PoolPolicy.UNLIMITED_RATE, 1, 1),
          pool("limited", PoolPolicy.MIN_RATE, 1, PoolPolicy.MAX_PER_POD));

  private final Ticker ticker;
  private final Durability durability;

  public Warmup(Ticker ticker, Durability durability) {
    this.ticker = ticker;
    this.durability = durability;
  }

  /**
   * Runs for eight seconds at most. That nothing could be warmed is logged and does no other harm;
   * an interrupt ends it and stays set.
   *
   * @return how many of {@link #CHECKS} were answered
   */
  public int run() {
    long startedNanos = ticker.nowNanos();
    AtomicInteger answered = new AtomicInteger();
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    try (DecisionBatcher decisions = new DecisionBatcher(Warmup::forget)) {
      sendChecks(admission(registry, decisions), answered);
    } catch (IOException cannotListen) {
      LOGGER.atWarn().setCause(cannotListen).log("The check path stays cold");
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
    } finally {
      registry.close();
    }
    LOGGER
        .atInfo()
        .addKeyValue("checks", answered)
        .addKeyValue("millis", (ticker.nowNanos() - startedNanos) / 1_000_000)
        .log("Check path warmed");
    return answered.get();
  }

  /** Takes a decision as Kafka's producer would, and keeps nothing. */
  private static void forget(Decision decision, boolean awaited, Callback callback) {
    byte[] unused = RecordCodec.encode(decision);
    callback.onCompletion(null, null);
  }

  private Admission admission(PrometheusMeterRegistry registry, DecisionLog decisions) {
    AdmissionMetrics metrics = new AdmissionMetrics(registry);
    DecisionPublisher publisher = new DecisionPublisher(decisions, metrics, ticker);
    return new Admission(
        LocalLedger.detached(POOLS, ticker).ledger(),
        Peers.NONE,
        publisher,
        durability,
        metrics,
        ticker);
  }

  private void sendChecks(Admission admission, AtomicInteger answered)
      throws IOException, InterruptedException {
    long deadlineNanos = ticker.nowNanos() + LIMIT.toNanos();
    Server server =
        NettyServerBuilder.forAddress(loopback(0))
            .directExecutor()
            // As the real one has both: what watches is loaded with the first connection.
            .maxConnectionIdle(LIMIT.toMillis(), TimeUnit.MILLISECONDS)
            .addStreamTracerFactory(new Untold())
            .addService(new CheckService(admission))
            .build()
            .start();
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(loopback(server.getPort()))
            .usePlaintext()
            .directExecutor()
            .build();
    try {
      List<CheckRequest> requests =
          List.of(
              handshake("allows"),
              handshake("full"),
              handshake("limited"),
              request("allows", Map.of("accept", "*/*")));
      Semaphore inFlight = new Semaphore(IN_FLIGHT);
      for (int sent = 0; sent < CHECKS && acquire(inFlight, 1, deadlineNanos); sent++) {
        // As Envoy's have one.
        AuthorizationGrpc.newStub(channel)
            .withDeadlineAfter(LIMIT)
            .check(requests.get(sent % requests.size()), new Counting(answered, inFlight));
      }
      acquire(inFlight, IN_FLIGHT, deadlineNanos);
    } finally {
      channel.shutdownNow();
      server.shutdownNow();
      channel.awaitTermination(SHUTDOWN.toMillis(), TimeUnit.MILLISECONDS);
      server.awaitTermination(SHUTDOWN.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  /** Is told how calls end and tells nobody. */
  private static final class Untold extends ServerStreamTracer.Factory {

    private final ServerStreamTracer tracer = new ServerStreamTracer() {};

    @Override
    public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
      return tracer;
    }
  }

  private static InetSocketAddress loopback(int port) {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
  }

  private boolean acquire(Semaphore inFlight, int permits, long deadlineNanos)
      throws InterruptedException {
    long leftNanos = deadlineNanos - ticker.nowNanos();
    return leftNanos > 0 && inFlight.tryAcquire(permits, leftNanos, TimeUnit.NANOSECONDS);
  }

  private static CheckRequest handshake(String pool) {
    return request(pool, Map.of("connection", "Upgrade", "upgrade", "websocket"));
  }

  private static CheckRequest request(String pool, Map<String, String> headers) {
    return CheckRequest.newBuilder()
        .setAttributes(
            AttributeContext.newBuilder()
                .putContextExtensions("pool", pool)
                .setRequest(
                    AttributeContext.Request.newBuilder()
                        .setHttp(
                            HttpRequest.newBuilder()
                                .setMethod("GET")
                                .setPath("/")
                                .setProtocol("HTTP/1.1")
                                .putAllHeaders(headers))))
        .build();
  }

  private static PoolPolicy pool(String name, double perSecond, int burst, int perPod) {
    return new PoolPolicy(
        name,
        perSecond,
        burst,
        perPod,
        PoolPolicy.Mode.ENFORCE,
        PoolPolicy.OnOwnerLoss.DENY,
        List.of(new Pod("pod-1", new PodAddress("127.0.0.1", 1))));
  }

  private record Counting(AtomicInteger answered, Semaphore inFlight)
      implements StreamObserver<CheckResponse> {

    @Override
    public void onNext(CheckResponse response) {
      answered.incrementAndGet();
    }

    @Override
    public void onError(Throwable failure) {
      inFlight.release();
    }

    @Override
    public void onCompleted() {
      inFlight.release();
    }
  }
}
