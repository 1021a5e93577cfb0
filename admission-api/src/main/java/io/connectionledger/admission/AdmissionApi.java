package io.connectionledger.admission;

import io.connectionledger.admission.authz.CheckHandler;
import io.connectionledger.admission.authz.CheckService;
import io.connectionledger.admission.authz.Warmup;
import io.connectionledger.admission.check.Admission;
import io.connectionledger.admission.check.Durability;
import io.connectionledger.admission.decisionlog.DecisionArchive;
import io.connectionledger.admission.decisionlog.DecisionBatcher;
import io.connectionledger.admission.decisionlog.DecisionPublisher;
import io.connectionledger.admission.decisionlog.KafkaDecisionArchive;
import io.connectionledger.admission.decisionlog.KafkaDecisionLog;
import io.connectionledger.admission.http.QueryServer;
import io.connectionledger.admission.http.audit.AuditTrail;
import io.connectionledger.admission.http.audit.KafkaAuditTrail;
import io.connectionledger.admission.http.auth.HttpAccess;
import io.connectionledger.admission.http.port.HttpSettings;
import io.connectionledger.admission.keda.ExternalScaler;
import io.connectionledger.admission.keda.LedgerDemand;
import io.connectionledger.admission.loan.Borrower;
import io.connectionledger.admission.metrics.AdmissionMetrics;
import io.connectionledger.admission.metrics.PrometheusText;
import io.connectionledger.admission.peer.grpc.ClusterPoolQueries;
import io.connectionledger.admission.peer.grpc.GrpcPeers;
import io.connectionledger.admission.peer.grpc.PeerService;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.policy.Policies;
import io.connectionledger.model.view.PoolReport;
import io.connectionledger.model.view.Simulations;
import io.connectionledger.streams.Ledger;
import io.grpc.BindableService;
import io.grpc.ChannelCredentials;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/**
 * Admission and its ports. Whoever starts it serves {@link #authz}, {@link #peers}, {@link
 * #health}, {@link #scaler} and {@link #reflection} on a gRPC server (its handlers never wait:
 * {@code directExecutor} is right), calls {@link #warmUp} and {@link #startHttp}, and ends with
 * {@link #close}. Thread-safe but for starting and closing.
 */
public final class AdmissionApi implements AutoCloseable {

  /** Without a check for so long, the clients have left: Envoys ask for health every second. */
  private static final Duration QUIET = Duration.ofSeconds(2);

  /** How long after {@link #leave} those are waited for that do not heed health. */
  private static final Duration LEAVE_TIMEOUT = Duration.ofSeconds(6);

  /** How late what was counted in a flood is recorded after its second. */
  private static final Duration COUNTING = Duration.ofMillis(500);

  private final Ledger ledger;
  private final Policies policies;
  private final Durability durability;
  private final Ticker ticker;
  private final KafkaDecisionLog log;
  private final DecisionBatcher batcher;
  private final DecisionPublisher publisher;
  private final DecisionArchive archive;
  private final AuditTrail audit;
  private final PrometheusMeterRegistry registry;
  private final Simulations simulations;
  private final AdmissionMetrics meters;
  private final PrometheusText metrics;
  private final GrpcPeers peers;
  private final Borrower borrower;
  private final Admission admission;
  private final CheckService authz;
  private final CheckHandler httpAuthz;
  private final PeerService peerService;
  private final ExecutorService queries =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("peer-query-", 0).factory());
  private final ScheduledExecutorService counting =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("rejections").daemon().factory());
  private volatile boolean warm;
  private volatile boolean serving;
  private volatile boolean leaving;
  private volatile long leftNanos;
  private @Nullable QueryServer http;

  AdmissionApi(
      Ledger ledger,
      Policies policies,
      KafkaDecisionLog log,
      DecisionArchive archive,
      AuditTrail audit,
      GrpcPeers peers,
      Simulations simulations,
      Durability durability,
      Ticker ticker,
      PrometheusMeterRegistry registry) {
    this.ledger = ledger;
    this.policies = policies;
    this.durability = durability;
    this.ticker = ticker;
    this.log = log;
    this.archive = archive;
    this.audit = audit;
    this.registry = registry;
    this.simulations = simulations;
    this.meters = new AdmissionMetrics(registry);
    this.metrics = new PrometheusText(registry, meters, ledger.queries());
    this.batcher = new DecisionBatcher(log);
    this.publisher = new DecisionPublisher(batcher, meters, ticker);
    var unused =
        counting.scheduleWithFixedDelay(
            publisher::recordCounted,
            COUNTING.toMillis(),
            COUNTING.toMillis(),
            TimeUnit.MILLISECONDS);
    this.peers = peers;
    this.borrower = new Borrower(ledger, peers, ticker);
    this.admission = new Admission(ledger, peers, publisher, durability, meters, ticker);
    this.authz = new CheckService(admission);
    this.httpAuthz = new CheckHandler(admission);
    this.peerService = new PeerService(admission.local(), ledger, queries, ticker);
  }

  /**
   * Makes one and starts its producer, which connects in the background.
   *
   * @param kafka configuration of a Kafka producer, {@code bootstrap.servers} at least
   * @param others with what other instances are called
   * @param simulations what its HTTP port answers about other limits
   * @param registry where its meters go, and what its scrape contains
   * @throws org.apache.kafka.common.KafkaException when Kafka refuses the configuration
   */
  public static AdmissionApi create(
      Ledger ledger,
      Policies policies,
      Map<String, Object> kafka,
      ChannelCredentials others,
      Simulations simulations,
      Durability durability,
      Ticker ticker,
      PrometheusMeterRegistry registry) {
    return new AdmissionApi(
        ledger,
        policies,
        decisionLog(kafka, registry),
        KafkaDecisionArchive.over(kafka, ticker),
        KafkaAuditTrail.connect(kafka, registry),
        new GrpcPeers(others, ticker),
        simulations,
        durability,
        ticker,
        registry);
  }

  private static KafkaDecisionLog decisionLog(
      Map<String, Object> kafka, PrometheusMeterRegistry registry) {
    KafkaDecisionLog log = KafkaDecisionLog.connect(kafka);
    log.bindTo(registry);
    // The first look at the topic has it fetched before the first check needs it.
    log.unready();
    return log;
  }

  /** Envoy's ext_authz service. */
  public BindableService authz() {
    return authz;
  }

  /** What other instances ask this one: for a server that nobody else reaches. */
  public BindableService peers() {
    return peerService;
  }

  /** All about a pool, wherever it is owned; empty when nobody can say. May wait for others. */
  public Optional<PoolReport> report(String pool) {
    return new ClusterPoolQueries(ledger.queries(), ledger.routing(), peers).report(pool);
  }

  /** KEDA's external scaler; answers for any pool. */
  public BindableService scaler() {
    return new ExternalScaler(
        new LedgerDemand(new ClusterPoolQueries(ledger.queries(), ledger.routing(), peers)),
        queries);
  }

  /** What the server's services look like, for those who ask without their descriptions. */
  public BindableService reflection() {
    return ProtoReflectionServiceV1.newInstance();
  }

  /**
   * Returns when Kafka has every answered decision that was made before this was called.
   *
   * @throws KafkaException when it has refused some, whose connections may be unknown
   */
  public void settle() {
    admission.awaitDecided();
    publisher.recordAllCounted();
    batcher.drain();
    log.flush();
    if (admission.hasLost()) {
      throw new KafkaException("some answered decisions could not be recorded");
    }
  }

  /** gRPC health for the same server: serving exactly when this is ready. */
  public BindableService health() {
    return new HealthService(() -> unready().isEmpty());
  }

  /** Warms the check path, for some seconds at most; not ready before it has returned. */
  public void warmUp() {
    new Warmup(ticker, durability).run();
    meters.expect(ledger.routing().pools());
    warm = true;
  }

  /** The rest of the instance listens too; not ready before that. */
  public void serving() {
    serving = true;
    borrower.start();
  }

  /** Not ready from now on, and answering as before: who heeds health asks other instances. */
  public void leave() {
    leftNanos = ticker.nowNanos();
    leaving = true;
    admission.leave();
  }

  /**
   * Returns when the clients have left, two seconds after their last check; after some seconds
   * anyway.
   */
  public void awaitQuiet() {
    long untilNanos = leftNanos + LEAVE_TIMEOUT.toNanos();
    for (long quietNanos = admission.quietNanos();
        quietNanos < QUIET.toNanos()
            && ticker.nowNanos() < untilNanos
            && !Thread.currentThread().isInterrupted();
        quietNanos = admission.quietNanos()) {
      LockSupport.parkNanos(QUIET.toNanos() - quietNanos);
    }
  }

  /**
   * Why this instance is not ready, a line each; empty when it is: the ledger caught up, the
   * decisions' topic known, the check path warm, everything listening.
   */
  public List<String> unready() {
    List<String> reasons = new ArrayList<>();
    if (!ledger.queries().ready()) {
      reasons.add(ledger.queries().status());
    }
    log.unready().ifPresent(reasons::add);
    if (leaving) {
      reasons.add("the instance is stopping");
    }
    if (!serving) {
      reasons.add("the instance is still starting");
    }
    if (!warm) {
      reasons.add("the check path is not warm yet");
    }
    return reasons;
  }

  /**
   * Starts the HTTP ports.
   *
   * @param access says who asks; stays the caller's
   * @return the port that answers everything
   * @throws java.io.UncheckedIOException with one line that names the address when one cannot be
   *     listened on
   */
  public int startHttp(HttpSettings settings, HttpAccess access) {
    if (http != null) {
      throw new IllegalStateException("the http port is open already");
    }
    http =
        QueryServer.start(
            settings,
            access,
            new QueryServer.Parts(
                httpAuthz,
                new ClusterPoolQueries(ledger.queries(), ledger.routing(), peers),
                policies,
                audit,
                archive,
                simulations,
                metrics::scrape,
                this::unready),
            ticker,
            registry);
    return http.port();
  }

  /** Closes the HTTP ports, which lets what they are answering end. Idempotent. */
  public void stopHttp() {
    QueryServer open = http;
    http = null;
    if (open != null) {
      open.close();
    }
  }

  /**
   * Closes the HTTP port and then the producer, which waits some seconds for what it still has to
   * send. The gRPC server must be down before, or its checks are answered no_owner.
   */
  @Override
  public void close() {
    try (AuditTrail written = audit;
        KafkaDecisionLog last = log;
        DecisionArchive found = archive;
        DecisionBatcher before = batcher;
        GrpcPeers others = peers;
        Borrower borrowing = borrower) {
      stopHttp();
      queries.shutdown();
      counting.shutdownNow();
      publisher.recordAllCounted();
    }
  }
}
