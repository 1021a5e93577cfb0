package io.connectionledger.controlplane;

import io.connectionledger.model.LogRateLimiter;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.envoyproxy.controlplane.cache.SimpleCache;
import io.envoyproxy.controlplane.server.V3DiscoveryServer;
import io.grpc.BindableService;
import io.grpc.ServerInterceptors;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.Collection;
import java.util.Set;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The endpoint discovery service (EDS over gRPC, by itself or over ADS): one cluster load
 * assignment per pool, the same for every Envoy. Thread-safe.
 *
 * <p>A version is a hash of the content. So an update that changes nothing is not sent, and an
 * Envoy that reconnects to another instance with the same policies is not sent anything either. A
 * pool that leaves the policies is not withdrawn: Envoy keeps the endpoints it has. What an Envoy
 * refuses it is not sent again before it changes.
 */
public final class EdsServer {

  private static final Logger LOGGER = LoggerFactory.getLogger(EdsServer.class);

  /** The one group that every Envoy belongs to. */
  private static final String EVERY_ENVOY = "every-envoy";

  /** Between two lines about refusals: whoever asks may name himself as he likes. */
  private static final Duration LINES = Duration.ofMillis(20);

  private final Endpoints endpoints = new Endpoints();
  private final V3DiscoveryServer server = new V3DiscoveryServer(endpoints);
  private final NackInterceptor interceptor;

  /**
   * A server without any pool.
   *
   * @param log told of refusals
   */
  EdsServer(MeterRegistry registry, Consumer<Nack> log) {
    interceptor = new NackInterceptor(new Nacks(registry, log), new AskedNames(registry));
  }

  /** A server that answers with the pods that {@code policies} name, one policy a pool. */
  public static EdsServer create(Collection<PoolPolicy> policies, MeterRegistry registry) {
    EdsServer server = new EdsServer(registry, log());
    server.update(
        policies.stream().map(policy -> PolicyRecord.ofBase(policy, Set.of(), 0)).toList());
    return server;
  }

  private static Consumer<Nack> log() {
    LogRateLimiter lines = new LogRateLimiter(Ticker.system(), LINES);
    return nack -> {
      if (lines.passes()) {
        log(nack);
      }
    };
  }

  private static void log(Nack nack) {
    LOGGER
        .atWarn()
        .addKeyValue("envoy", nack.envoy())
        .addKeyValue("pools", nack.pools())
        .addKeyValue("version", nack.version())
        .addKeyValue("reason", nack.reason())
        .log("An Envoy refused its endpoints");
  }

  /** Replaces the pods of all pools, and pushes the change, if any, to every connected Envoy. */
  public void update(Collection<PolicyRecord> policies) {
    endpoints.setSnapshot(EVERY_ENVOY, new EndpointSnapshot(Assignments.of(policies)));
  }

  /** EDS by itself, to add to a server. */
  public BindableService service() {
    return () ->
        ServerInterceptors.intercept(
            new EndpointsOverEds(server.getEndpointDiscoveryServiceImpl()), interceptor);
  }

  /** The same over ADS, to add to the same server. */
  public BindableService overAds() {
    return () ->
        ServerInterceptors.intercept(
            new EndpointsOverAds(server.getEndpointDiscoveryServiceImpl()), interceptor);
  }

  private static final class Endpoints extends SimpleCache<String, EndpointSnapshot> {
    Endpoints() {
      super(node -> EVERY_ENVOY);
    }
  }
}
