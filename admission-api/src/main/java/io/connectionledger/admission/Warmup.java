package io.connectionledger.admission;

import io.connectionledger.model.Decision;
import io.connectionledger.model.Ticker;
import io.connectionledger.streams.Ledger;
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
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.Callback;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the first check of a fresh process as fast as the thousandth: sends checks of every kind
 * through a real server on a loopback port, to the real ledger's {@link Ledger#rehearse} pools, and
 * then some more until the compilers have caught up. The types are those of the real path
 * everywhere, lest the compiler bets on others; what it makes is its own and is gone when it
 * returns.
 */
final class Warmup {

  private static final Logger LOGGER = LoggerFactory.getLogger(Warmup.class);
  private static final int IN_FLIGHT = 16;

  /** So many, and the quick compiler has seen the whole path. */
  static final int CHECKS = 1_000;

  /** One in so many checks is asked as by another instance. */
  private static final int FORWARDED = 8;

  /** Of {@link #ROUND}: what compilers that have caught up still find to do. */
  private static final long CALM_MS = 20;

  private static final Duration ROUND = Duration.ofMillis(100);
  private static final int CALM_ROUNDS = 2;

  /** Few, so that connections are made often: a first check is the first of its connection, too. */
  private static final int CHECKS_PER_CONNECTION = 5;

  /** Between connections: the compilers and a ledger that catches up need the processor more. */
  private static final Duration GAP = Duration.ofMillis(10);

  private static final Duration LIMIT = Duration.ofSeconds(8);
  private static final Duration SHUTDOWN = Duration.ofSeconds(1);

  private final Ledger ledger;
  private final Ticker ticker;
  private final Durability durability;
  private final DecisionLog rehearsal;
  private final LongSupplier compiledMs;

  /**
   * One warm-up.
   *
   * @param rehearsal takes the records; whether it can is of no concern to the checks
   * @param compiledMs how long the compilers have worked up to now, in milliseconds
   */
  Warmup(
      Ledger ledger,
      Ticker ticker,
      Durability durability,
      DecisionLog rehearsal,
      LongSupplier compiledMs) {
    this.ledger = ledger;
    this.ticker = ticker;
    this.durability = durability;
    this.rehearsal = rehearsal;
    this.compiledMs = compiledMs;
  }

  /** For the constructor; always the same where this Java does not tell. */
  static long compiledMs() {
    CompilationMXBean compilers = ManagementFactory.getCompilationMXBean();
    return compilers != null && compilers.isCompilationTimeMonitoringSupported()
        ? compilers.getTotalCompilationTime()
        : 0;
  }

  /**
   * Runs for at most some eight seconds. That nothing could be warmed is logged and does no other
   * harm; an interrupt ends it and stays set.
   *
   * @return how many of the first {@link #CHECKS} were answered
   */
  int run() {
    AtomicInteger answered = new AtomicInteger();
    ledger.rehearse(pools -> answered.set(run(pools)));
    return answered.get();
  }

  private int run(List<String> pools) {
    long startedNanos = ticker.nowNanos();
    int answered = 0;
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    try {
      answered = throughServer(admission(registry), pools, startedNanos + LIMIT.toNanos());
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

  private Admission admission(PrometheusMeterRegistry registry) {
    AdmissionMetrics metrics = new AdmissionMetrics(registry);
    DecisionPublisher publisher = new DecisionPublisher(this::rehearse, metrics, ticker);
    return new Admission(ledger, publisher, durability, metrics, ticker);
  }

  private void rehearse(byte[] key, byte[] value, Callback callback) {
    rehearsal.send(key, value, (recorded, failure) -> {});
    callback.onCompletion(null, null);
  }

  private int throughServer(Admission admission, List<String> pools, long deadlineNanos)
      throws IOException, InterruptedException {
    InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    Server server =
        NettyServerBuilder.forAddress(anyPort)
            .directExecutor()
            .addService(new CheckService(admission))
            .addService(new PeerService(admission, ledger, Runnable::run))
            .build()
            .start();
    ManagedChannel channel = channelTo(server.getPort());
    try (GrpcPeers peers = new GrpcPeers(ticker)) {
      int answered = sendChecks(AuthorizationGrpc.newStub(channel), requests(pools), deadlineNanos);
      forwardChecks(peers, "127.0.0.1:" + server.getPort(), pools, deadlineNanos);
      untilCalm(server, requests(pools), deadlineNanos);
      return answered;
    } finally {
      channel.shutdownNow();
      server.shutdownNow();
      channel.awaitTermination(SHUTDOWN.toMillis(), TimeUnit.MILLISECONDS);
      server.awaitTermination(SHUTDOWN.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  /** A connection to a port of this machine. */
  static ManagedChannel channelTo(int port) {
    return NettyChannelBuilder.forAddress(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
        .usePlaintext()
        .directExecutor()
        .build();
  }

  /**
   * Sends checks one at a time until the compilers leave the processor to them: what was compiled
   * of the burst is only used by then, and a check that shares two cores with two compilers waits.
   */
  private void untilCalm(Server server, List<CheckRequest> requests, long deadlineNanos)
      throws InterruptedException {
    int calm = 0;
    while (calm < CALM_ROUNDS && ticker.nowNanos() < deadlineNanos) {
      long beforeMs = compiledMs.getAsLong();
      long untilNanos = ticker.nowNanos() + ROUND.toNanos();
      while (ticker.nowNanos() < untilNanos) {
        fewChecks(server, requests, deadlineNanos);
        LockSupport.parkNanos(GAP.toNanos());
      }
      calm = compiledMs.getAsLong() - beforeMs <= CALM_MS ? calm + 1 : 0;
    }
  }

  private void fewChecks(Server server, List<CheckRequest> requests, long deadlineNanos)
      throws InterruptedException {
    ManagedChannel channel = channelTo(server.getPort());
    try {
      Semaphore answered = new Semaphore(0);
      for (int sent = 0; sent < CHECKS_PER_CONNECTION; sent++) {
        AuthorizationGrpc.newStub(channel)
            .check(
                requests.get(sent % requests.size()), new Counting(new AtomicInteger(), answered));
        if (!acquire(answered, 1, deadlineNanos)) {
          return;
        }
      }
    } finally {
      channel.shutdownNow();
    }
  }

  private void forwardChecks(
      GrpcPeers peers, String address, List<String> pools, long deadlineNanos)
      throws InterruptedException {
    Semaphore inFlight = new Semaphore(IN_FLIGHT);
    for (int sent = 0; sent < CHECKS / FORWARDED && acquire(inFlight, 1, deadlineNanos); sent++) {
      peers.decide(
          address,
          new Question(pools.get(sent % pools.size()), null, null),
          LIMIT.toNanos(),
          new Forwarded(inFlight));
    }
    acquire(inFlight, IN_FLIGHT, deadlineNanos);
  }

  private int sendChecks(
      AuthorizationGrpc.AuthorizationStub stub, List<CheckRequest> requests, long deadlineNanos)
      throws InterruptedException {
    Semaphore inFlight = new Semaphore(IN_FLIGHT);
    AtomicInteger answered = new AtomicInteger();
    for (int sent = 0; sent < CHECKS && acquire(inFlight, 1, deadlineNanos); sent++) {
      stub.check(requests.get(sent % requests.size()), new Counting(answered, inFlight));
    }
    acquire(inFlight, IN_FLIGHT, deadlineNanos);
    return answered.get();
  }

  private boolean acquire(Semaphore inFlight, int permits, long deadlineNanos)
      throws InterruptedException {
    long leftNanos = deadlineNanos - ticker.nowNanos();
    return leftNanos > 0 && inFlight.tryAcquire(permits, leftNanos, TimeUnit.NANOSECONDS);
  }

  private static List<CheckRequest> requests(List<String> pools) {
    return Stream.concat(
            pools.stream().map(Warmup::handshake),
            Stream.of(request(pools.getFirst(), Map.of("accept", "*/*"))))
        .toList();
  }

  /** The check of a WebSocket handshake. */
  static CheckRequest handshake(String pool) {
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

  private record Forwarded(Semaphore inFlight) implements Peers.Answer {

    @Override
    public void decided(Decision decision) {
      inFlight.release();
    }

    @Override
    public void disowned() {
      inFlight.release();
    }

    @Override
    public void unreachable() {
      inFlight.release();
    }

    @Override
    public void late() {
      inFlight.release();
    }
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
