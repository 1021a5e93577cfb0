package io.connectionledger.admission;

import io.connectionledger.model.ConnectionIds;
import io.connectionledger.model.Decision;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.RejectionReason;
import io.connectionledger.model.Ticker;
import io.connectionledger.streams.Ledger;
import io.connectionledger.streams.PoolReadiness;
import io.connectionledger.streams.PoolView;
import io.connectionledger.streams.Window;
import io.envoyproxy.envoy.service.auth.v3.AttributeContext;
import io.envoyproxy.envoy.service.auth.v3.AttributeContext.HttpRequest;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the first check of a fresh process as fast as the thousandth: sends checks through a real
 * server on a loopback port, with everything of the real path but the ledger and Kafka. What it
 * uses is its own and is gone when it returns.
 */
final class Warmup {

  private static final Logger LOGGER = LoggerFactory.getLogger(Warmup.class);
  private static final int CHECKS = 5_000;
  private static final int IN_FLIGHT = 16;
  private static final Duration LIMIT = Duration.ofSeconds(5);
  private static final Duration SHUTDOWN = Duration.ofSeconds(1);

  private final Ticker ticker;
  private final Durability durability;
  private final DecisionLog rehearsal;

  /**
   * One warm-up.
   *
   * @param rehearsal takes the records; whether it can is of no concern to the checks
   */
  Warmup(Ticker ticker, Durability durability, DecisionLog rehearsal) {
    this.ticker = ticker;
    this.durability = durability;
    this.rehearsal = rehearsal;
  }

  /**
   * Runs for at most some five seconds. That nothing could be warmed is logged and does no other
   * harm; an interrupt ends it and stays set.
   *
   * @return how many checks were answered
   */
  int run() {
    long startedNanos = ticker.nowNanos();
    int answered = 0;
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    try {
      answered = throughServer(checkService(registry), startedNanos + LIMIT.toNanos());
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
    return answered;
  }

  private CheckService checkService(PrometheusMeterRegistry registry) {
    AdmissionMetrics metrics = new AdmissionMetrics(registry);
    DecisionPublisher publisher = new DecisionPublisher(this::rehearse, metrics, ticker);
    return new CheckService(
        new Admission(new Alternating(ticker), publisher, durability, metrics, ticker));
  }

  private void rehearse(ProducerRecord<byte[], byte[]> record, Callback callback) {
    rehearsal.send(record, (recorded, failure) -> {});
    callback.onCompletion(null, null);
  }

  private int throughServer(CheckService service, long deadlineNanos)
      throws IOException, InterruptedException {
    InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    Server server =
        NettyServerBuilder.forAddress(anyPort).directExecutor().addService(service).build().start();
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getPort()))
            .usePlaintext()
            .directExecutor()
            .build();
    try {
      return sendChecks(AuthorizationGrpc.newStub(channel), deadlineNanos);
    } finally {
      channel.shutdownNow();
      server.shutdownNow();
      channel.awaitTermination(SHUTDOWN.toMillis(), TimeUnit.MILLISECONDS);
      server.awaitTermination(SHUTDOWN.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  private int sendChecks(AuthorizationGrpc.AuthorizationStub stub, long deadlineNanos)
      throws InterruptedException {
    Semaphore inFlight = new Semaphore(IN_FLIGHT);
    AtomicInteger answered = new AtomicInteger();
    CheckRequest check = checkRequest();
    for (int sent = 0; sent < CHECKS && acquire(inFlight, 1, deadlineNanos); sent++) {
      stub.check(check, new Counting(answered, inFlight));
    }
    acquire(inFlight, IN_FLIGHT, deadlineNanos);
    return answered.get();
  }

  private boolean acquire(Semaphore inFlight, int permits, long deadlineNanos)
      throws InterruptedException {
    long leftNanos = deadlineNanos - ticker.nowNanos();
    return leftNanos > 0 && inFlight.tryAcquire(permits, leftNanos, TimeUnit.NANOSECONDS);
  }

  private static CheckRequest checkRequest() {
    return CheckRequest.newBuilder()
        .setAttributes(
            AttributeContext.newBuilder()
                .putContextExtensions("pool", Alternating.POOL)
                .setRequest(
                    AttributeContext.Request.newBuilder()
                        .setHttp(
                            HttpRequest.newBuilder()
                                .setMethod("GET")
                                .setPath("/")
                                .setProtocol("HTTP/1.1")
                                .putHeaders("connection", "Upgrade")
                                .putHeaders("upgrade", "websocket"))))
        .build();
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

  /** A ledger of one pod that allows every other check and remembers nothing. */
  private static final class Alternating implements Ledger {

    /** No policy can have this name: even in the decisions' topic it would mean nothing. */
    static final String POOL = "-warmup";

    private static final PodAddress POD = new PodAddress("127.0.0.1", 1);

    private final Ticker ticker;
    private final AtomicInteger decisions = new AtomicInteger();

    Alternating(Ticker ticker) {
      this.ticker = ticker;
    }

    @Override
    public Decision decide(String pool) {
      long nowMs = ticker.nowMs();
      String id = ConnectionIds.next(nowMs);
      return decisions.incrementAndGet() % 2 == 0
          ? new Decision.Allowed(pool, id, POD, 0, nowMs)
          : new Decision.Rejected(pool, id, RejectionReason.POD_LIMIT, null, 1, nowMs);
    }

    @Override
    public void release(Decision.Allowed reservation) {}

    @Override
    public Set<String> pools() {
      return Set.of(POOL);
    }

    @Override
    public Optional<PoolView> connections(String pool) {
      return Optional.empty();
    }

    @Override
    public Optional<PoolReadiness> readiness(String pool) {
      return Optional.empty();
    }

    @Override
    public Optional<Map<Window, Map<RejectionReason, Long>>> rejections(String pool) {
      return Optional.empty();
    }

    @Override
    public boolean ready() {
      return true;
    }

    @Override
    public String status() {
      return "ready";
    }
  }
}
