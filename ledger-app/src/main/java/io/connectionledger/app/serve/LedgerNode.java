package io.connectionledger.app.serve;

import io.connectionledger.admission.AdmissionApi;
import io.connectionledger.admission.check.Durability;
import io.connectionledger.admission.http.auth.HttpAccess;
import io.connectionledger.admission.http.port.HttpSettings;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.PolicyFile;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.config.StartupException;
import io.connectionledger.app.kafka.DataDir;
import io.connectionledger.app.kafka.EmbeddedKafka;
import io.connectionledger.app.kafka.TopicSetup;
import io.connectionledger.app.kubernetes.KubernetesSide;
import io.connectionledger.app.kubernetes.PoolSources;
import io.connectionledger.app.tls.Callers;
import io.connectionledger.app.tls.Certificates;
import io.connectionledger.app.tls.TlsMaterial;
import io.connectionledger.controlplane.EdsServer;
import io.connectionledger.ingest.AlsIngest;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.streams.local.LocalLedger;
import io.connectionledger.streams.policy.KafkaPolicyStore;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.simulation.TopicSimulations;
import io.connectionledger.streams.topology.LedgerStreams;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.apache.kafka.clients.CommonClientConfigs;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * One running instance of the ledger: the parts that its roles name, wired and started in the order
 * of the data's flow, and stopped in the opposite one.
 */
public final class LedgerNode implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(LedgerNode.class);

  private static final Duration READY_TIMEOUT = Duration.ofSeconds(60);
  private static final Duration READY_POLL = Duration.ofMillis(50);

  private final Closer closing = new Closer();
  private final Ticker ticker = Ticker.system();
  private final LedgerConfig config;
  private final @Nullable String policyText;
  private final Map<String, PoolPolicy> pools;
  private final LeaseTerms terms;
  private final LocalLedger ledger;
  private final LedgerNodeMetrics metrics = new LedgerNodeMetrics();
  private final PrometheusMeterRegistry registry = metrics.registry();
  private final Callers callers = new Callers(ticker, registry);
  private final Certificates certificates;
  private OptionalInt alsPort = OptionalInt.empty();
  private OptionalInt authzPort = OptionalInt.empty();
  private OptionalInt xdsPort = OptionalInt.empty();
  private OptionalInt httpPort = OptionalInt.empty();
  private OptionalInt peersPort = OptionalInt.empty();
  private OptionalInt kedaPort = OptionalInt.empty();
  private String bootstrapServers;
  private @Nullable AdmissionApi admission;
  private @Nullable EdsServer eds;
  private @Nullable KubernetesSide kubernetes;
  private Map<String, PolicyRecord> latest = Map.of();

  /** Where other instances ask this one; empty while it does not listen. */
  private volatile String peerAddress = "";

  private LedgerNode(LedgerConfig config) {
    this.config = config;
    this.bootstrapServers = config.kafka().bootstrapServers();
    LedgerConfig.Lease lease = config.lease();
    Path policyFile = config.policies().file();
    this.policyText = policyFile == null ? null : PolicyFile.text(policyFile);
    this.pools =
        policyFile == null || policyText == null
            ? config.pools()
            : config.poolsWith(PolicyFile.parse(policyText, policyFile.toString()));
    this.terms =
        new LeaseTerms(lease.heartbeat(), lease.missed(), lease.reservation(), lease.unreported());
    this.ledger = new LocalLedger(pools, config.kafka().partitions(), terms, ticker);
    closing.add(metrics);
    this.certificates = closing.add(Certificates.load(config.tls(), registry));
  }

  /**
   * Starts every part that {@code roles} names and returns when all of them listen; the instance
   * becomes ready when the ledger has caught up.
   *
   * @throws StartupException with one line when a port, a directory or the cluster refuses
   * @throws InterruptedException when told to stop before that; nothing runs any more then
   */
  public static LedgerNode start(LedgerConfig config, Set<Role> roles) throws InterruptedException {
    LedgerNode instance = new LedgerNode(config);
    boolean started = false;
    try {
      instance.start(roles);
      started = true;
      return instance;
    } catch (UncheckedIOException refused) {
      throw new StartupException(String.valueOf(refused.getMessage()), refused);
    } finally {
      if (!started) {
        // An interrupt that is still set would keep the parts from closing in order.
        boolean stopping = Thread.interrupted();
        instance.close();
        if (stopping) {
          Thread.currentThread().interrupt();
        }
      }
    }
  }

  private void start(Set<Role> roles) throws InterruptedException {
    OpenPorts.check(config, roles, this::hasTls);
    HttpAccess access =
        roles.contains(Role.ADMISSION)
            ? closing.add(HttpAccess.of(config.http().access(), ticker, registry))
            : HttpAccess.open();
    DataDir dataDir = closing.add(DataDir.open(config.dataDir()));
    if (roles.contains(Role.KAFKA)) {
      bootstrapServers = closing.add(EmbeddedKafka.start(config, dataDir)).bootstrapServers();
    }
    TopicSetup.ensure(bootstrapServers, config.kafka(), roles);
    if (roles.contains(Role.CONTROL_PLANE)) {
      startControlPlane();
    }
    if (roles.contains(Role.INGEST)) {
      startIngest();
    }
    if (roles.stream().anyMatch(role -> role != Role.KAFKA)) {
      KafkaPolicyStore policies = startPolicies();
      if (roles.contains(Role.ADMISSION)) {
        startAdmission(dataDir, policies, access);
      }
    }
    if (admission != null) {
      admission.serving();
      metrics.readiness(() -> unready().isEmpty());
    }
    LoggingEventBuilder started =
        LOGGER.atInfo().addKeyValue("roles", roles).addKeyValue("kafka", bootstrapServers);
    started = withPort(started, "als", alsPort);
    started = withPort(started, "authz", authzPort);
    started = withPort(started, "xds", xdsPort);
    started = withPort(started, "http", httpPort);
    started = withPort(started, "peers", peersPort);
    started = withPort(started, "keda", kedaPort);
    started.log("Instance started");
  }

  private static LoggingEventBuilder withPort(
      LoggingEventBuilder message, String name, OptionalInt port) {
    return port.isPresent() ? message.addKeyValue(name, port.getAsInt()) : message;
  }

  private boolean hasTls(String port) {
    return port.equals("peers") ? peerTls() != null : certificates.of(port) != null;
  }

  private void startControlPlane() {
    eds = EdsServer.create(pools.values(), registry);
    GrpcServer server =
        GrpcServer.start(
            "xds",
            config.xds(),
            credentials("xds"),
            registry,
            interceptors("xds"),
            eds.service(),
            eds.overAds());
    closing.add(server);
    xdsPort = OptionalInt.of(server.port());
  }

  private KafkaPolicyStore startPolicies() {
    boolean inKubernetes = config.kubernetes().enabled();
    KafkaPolicyStore policies =
        closing.add(
            KafkaPolicyStore.start(
                kafkaClient(), pools, inKubernetes, this::follow, ticker, registry));
    PoolSources sources = new PoolSources(policies, pools, inKubernetes);
    if (inKubernetes) {
      startKubernetes(
          closing.add(
              KubernetesSide.start(
                  config.kubernetes(),
                  policies,
                  pools.values(),
                  sources,
                  config.http().settings().networks(),
                  registry,
                  ticker)));
    }
    Path file = config.policies().file();
    if (file != null && policyText != null) {
      closing.add(
          PolicyWatch.start(
              file, policyText, ofFile -> configured(config.poolsWith(ofFile), sources), registry));
    }
    return policies;
  }

  private synchronized void startKubernetes(KubernetesSide side) {
    kubernetes = side;
    side.follow(latest);
    if (eds != null) {
      side.discover();
    }
  }

  private void configured(Map<String, PoolPolicy> others, PoolSources sources) {
    sources.configured(others);
    if (kubernetes != null) {
      kubernetes.configured(others.values());
    }
  }

  /** Envoy is told first: it should know a new pod before a connection is placed there. */
  private synchronized void follow(Map<String, PolicyRecord> policies) {
    latest = policies;
    if (kubernetes != null) {
      kubernetes.follow(policies);
    }
    if (eds != null) {
      eds.update(policies.values());
    }
    ledger.follow(policies);
  }

  private void startAdmission(DataDir dataDir, KafkaPolicyStore policies, HttpAccess access) {
    AdmissionApi api =
        closing.add(
            AdmissionApi.create(
                ledger.ledger(),
                policies,
                kafkaClient(),
                peerChannel(),
                TopicSimulations.over(kafkaClient(), terms, ticker),
                config.authz().durability(),
                ticker,
                registry));
    LedgerStreams streams =
        closing.add(
            new LedgerStreams(
                new LedgerStreams.Settings(
                    kafkaClient(),
                    dataDir.resolve("streams"),
                    config.kafka().replication(),
                    config.kafka().minInSyncReplicas(),
                    dataDir.instanceId().toString()),
                ledger,
                new LedgerStreams.Surroundings(
                    () -> peerAddress, api::settle, config.authz().durability() == Durability.FAST),
                ticker,
                registry));
    // A partition that moves here is decided blindly by who had it until this instance can be
    // asked.
    boolean isWaitedFor = config.kafka().embedded() || !streams.hasOthers();
    if (isWaitedFor) {
      streams.start();
    }
    httpPort = OptionalInt.of(api.startHttp(httpSettings(), access));
    closing.add(api::stopHttp);
    api.warmUp();
    GrpcServer server =
        GrpcServer.startOnEventLoop(
            "authz",
            config.authz().listener(),
            credentials("authz"),
            registry,
            // Checks are timed as ledger_decision_seconds; another meter would cost each of them.
            Stream.concat(
                    Stream.of(
                        api.authz().bindService(),
                        ServerInterceptors.intercept(api.health(), metrics.grpc())),
                    OpenPorts.authzTakesKeda(config, this::hasTls) ? scaler(api) : Stream.of())
                .toArray(ServerServiceDefinition[]::new));
    closing.add(server);
    authzPort = OptionalInt.of(server.port());
    if (config.keda() != null) {
      GrpcServer keda =
          GrpcServer.startOnEventLoop(
              "keda",
              config.keda(),
              credentials("keda"),
              registry,
              scaler(api).toArray(ServerServiceDefinition[]::new));
      closing.add(keda);
      kedaPort = OptionalInt.of(keda.port());
    }
    startPeers(api);
    if (!isWaitedFor) {
      streams.start();
    }
    if (kubernetes != null) {
      kubernetes.lead(dataDir.instanceId().toString(), api::report);
    }
    closing.add(() -> leave(api, streams));
    admission = api;
  }

  private Stream<ServerServiceDefinition> scaler(AdmissionApi api) {
    return Stream.of(
        ServerInterceptors.intercept(api.scaler(), metrics.grpc()),
        ServerInterceptors.intercept(api.reflection(), metrics.grpc()));
  }

  /** On a port that no Envoy reaches: whoever may ask here decides for the whole pool. */
  private void startPeers(AdmissionApi api) {
    TlsMaterial tls = peerTls();
    ServerServiceDefinition service = api.peers().bindService();
    GrpcServer server =
        GrpcServer.startOnEventLoop(
            "peers",
            config.peers(),
            tls == null ? InsecureServerCredentials.create() : tls.peerServer(),
            registry,
            tls == null ? service : ServerInterceptors.intercept(service, callers.instances(tls)));
    closing.add(server);
    peersPort = OptionalInt.of(server.port());
    peerAddress = config.instance().address(server.port());
  }

  /** Null where instances cannot be told from others by their certificates. */
  private @Nullable TlsMaterial peerTls() {
    TlsMaterial tls = certificates.of("peers");
    return tls != null && tls.knowsInstances() ? tls : null;
  }

  private HttpSettings httpSettings() {
    HttpSettings settings = config.http().settings();
    TlsMaterial tls = certificates.of("http");
    return tls == null ? settings : settings.withTls(tls.http());
  }

  private ChannelCredentials peerChannel() {
    TlsMaterial tls = peerTls();
    return tls == null ? InsecureChannelCredentials.create() : tls.peerClient();
  }

  private ServerCredentials credentials(String port) {
    TlsMaterial tls = certificates.of(port);
    return tls == null ? InsecureServerCredentials.create() : tls.server();
  }

  private List<ServerInterceptor> interceptors(String port) {
    String name = config.identity().get(port);
    return name == null
        ? List.of(metrics.grpc())
        : List.of(metrics.grpc(), callers.nodes(port, name));
  }

  /**
   * Before anything is closed: clients are sent away, the pools handed over, late checks answered.
   */
  private static void leave(AdmissionApi api, LedgerStreams streams) {
    api.leave();
    if (streams.handOver()) {
      api.awaitQuiet();
    }
  }

  private void startIngest() {
    AlsIngest ingest =
        closing.add(AlsIngest.create(kafkaClient(), ledger::index, ticker, registry));
    GrpcServer server =
        GrpcServer.start(
            "als",
            config.als(),
            credentials("als"),
            registry,
            interceptors("als"),
            ingest.service());
    closing.add(server);
    closing.add(ingest::leave);
    alsPort = OptionalInt.of(server.port());
  }

  private Map<String, Object> kafkaClient() {
    Map<String, Object> settings = new HashMap<>(config.kafka().clientProperties());
    settings.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
    return settings;
  }

  /** Why it is not ready, a line each; empty when it is, or has no role that must get ready. */
  public List<String> unready() {
    return admission == null ? List.of() : admission.unready();
  }

  /**
   * Returns when it is ready.
   *
   * @throws StartupException when it is not after a minute; says why not
   */
  public void awaitReady() throws InterruptedException {
    long deadlineMs = ticker.nowMs() + READY_TIMEOUT.toMillis();
    while (!unready().isEmpty()) {
      LockSupport.parkNanos(READY_POLL.toNanos());
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      if (ticker.nowMs() > deadlineMs) {
        throw new StartupException("the ledger is not ready: " + String.join("; ", unready()));
      }
    }
  }

  /** Where the cluster is; the embedded broker's address when it runs here. */
  public String bootstrapServers() {
    return bootstrapServers;
  }

  /** The port of the access-log service; empty without the role. */
  public OptionalInt alsPort() {
    return alsPort;
  }

  /** The port of ext_authz over gRPC; empty without the role. */
  public OptionalInt authzPort() {
    return authzPort;
  }

  /** Where other instances ask it; empty without the role. */
  public OptionalInt peersPort() {
    return peersPort;
  }

  /** Where KEDA asks it; empty without a port of its own. */
  public OptionalInt kedaPort() {
    return kedaPort;
  }

  /** The port of endpoint discovery; empty without the role. */
  public OptionalInt xdsPort() {
    return xdsPort;
  }

  /** The port of the HTTP API; empty without the role. */
  public OptionalInt httpPort() {
    return httpPort;
  }

  @Override
  public void close() {
    closing.close();
  }
}
