package io.connectionledger.app.config;

import io.connectionledger.admission.check.Durability;
import io.connectionledger.admission.http.auth.AccessSettings;
import io.connectionledger.admission.http.port.HttpSettings;
import io.connectionledger.model.policy.PoolPolicy;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.CommonClientConfigs;
import org.jspecify.annotations.Nullable;

/**
 * Everything that an instance is told before it starts. {@link ConfigLoader} reads and checks it.
 *
 * @param dataDir where this instance keeps its state; relative to the working directory
 * @param peers where other instances ask this one
 * @param keda where KEDA asks; null for the port of ext_authz, where that is plain text on loopback
 * @param tls of each port that has it, by its section: als, authz, xds, http, peers, keda
 * @param identity by port, als or xds: the name that an Envoy's certificate must have, in which
 *     {@code {node}} stands for its node id
 * @param insecure whether ports that others reach may be open to everybody
 * @param pools by name, in the order of the file; {@link #poolsWith} adds those of the policy file
 */
public record LedgerConfig(
    Path dataDir,
    Kafka kafka,
    Instance instance,
    Listener als,
    Authz authz,
    Http http,
    Listener xds,
    Listener peers,
    @Nullable Listener keda,
    Map<String, Tls> tls,
    Map<String, String> identity,
    Lease lease,
    Policies policies,
    Kubernetes kubernetes,
    boolean insecure,
    Map<String, PoolPolicy> pools) {

  public LedgerConfig {
    tls = Map.copyOf(tls);
    identity = Map.copyOf(identity);
    pools = Collections.unmodifiableMap(new LinkedHashMap<>(pools));
  }

  /**
   * The pools, with those of a policy file in place of the ones of the same name.
   *
   * @throws ConfigException when two of them claim the same
   */
  public Map<String, PoolPolicy> poolsWith(Map<String, PoolPolicy> ofFile) {
    Map<String, PoolPolicy> all = new LinkedHashMap<>(pools);
    all.putAll(ofFile);
    ConfigLoader.refuseConflict(all.values());
    return all;
  }

  /**
   * Where a server listens.
   *
   * @param bind an address of this machine or a name of one
   * @param port 0 for any free one
   */
  public record Listener(String bind, int port) {

    /** Resolves the name; unresolved when there is no such host. */
    public InetSocketAddress socketAddress() {
      return new InetSocketAddress(bind, port);
    }
  }

  /**
   * How a port is encrypted.
   *
   * @param certificate PEM, the port's own first and then those that it is signed with
   * @param key PEM, PKCS#8
   * @param clientCa PEM, the authorities whose certificates callers show; null for none
   */
  public record Tls(Path certificate, Path key, @Nullable Path clientCa, ClientAuth clientAuth) {

    /** Whether a caller must show a certificate. */
    public enum ClientAuth {
      NONE,
      OPTIONAL,
      REQUIRED
    }
  }

  /**
   * The cluster that holds the ledger's topics.
   *
   * @param bootstrapServers empty for the embedded broker
   * @param listener the embedded broker's
   * @param partitions of every topic
   * @param replication of every topic
   * @param retentionBytes how much a partition of the topics that anybody can fill may have
   * @param properties of the embedded broker, or of every client when the cluster is another's;
   *     those of the properties file among them, so there are secrets in it
   */
  public record Kafka(
      String bootstrapServers,
      Listener listener,
      int partitions,
      short replication,
      long retentionBytes,
      Map<String, String> properties) {

    /** Some three million decisions of a partition. */
    public static final long RETENTION_BYTES = 1L << 30;

    public Kafka {
      properties = Map.copyOf(properties);
    }

    /** Without the values of the properties: some are secrets. */
    @Override
    public String toString() {
      return "Kafka[servers=" + servers() + ", properties=" + properties.keySet() + "]";
    }

    /** Whether the broker runs in this process. */
    public boolean embedded() {
      return bootstrapServers.isEmpty();
    }

    /** On how many brokers a record must be before it is acknowledged: one may be lost then. */
    public int minInSyncReplicas() {
      return Math.min(2, replication);
    }

    /**
     * Where clients find it: the cluster's bootstrap servers, or the embedded broker's listener.
     */
    public String servers() {
      return embedded() ? listener.bind() + ":" + listener.port() : bootstrapServers;
    }

    /** What every Kafka client is given beside the ledger's own settings. */
    public Map<String, String> clientProperties() {
      // Their metrics are on /metrics; as managed beans, they take a second of a start.
      Map<String, String> all =
          new HashMap<>(Map.of(CommonClientConfigs.METRIC_REPORTER_CLASSES_CONFIG, ""));
      if (!embedded()) {
        all.putAll(properties);
      }
      return all;
    }
  }

  /**
   * This instance among others.
   *
   * @param host how other instances reach this one
   */
  public record Instance(String host) {

    /** {@code host:port}, an IPv6 literal in brackets. */
    public String address(int port) {
      return host.contains(":") ? "[" + host + "]:" + port : host + ":" + port;
    }
  }

  /** The ext_authz service over gRPC. */
  public record Authz(Listener listener, Durability durability) {}

  /**
   * The HTTP API.
   *
   * @param settings where it listens, and what may be changed through it
   * @param access by what its callers prove who they are
   */
  public record Http(HttpSettings settings, AccessSettings access) {}

  /**
   * How long the ledger believes in a connection that it does not hear of.
   *
   * @param heartbeat how often Envoy repeats an open connection
   * @param missed heartbeats without which a connection is lost
   * @param reservation how long a slot is held for a connection that has not opened yet
   * @param unreported how long it is held at most when no Envoy says what became of the connection
   */
  public record Lease(Duration heartbeat, int missed, Duration reservation, Duration unreported) {}

  /**
   * Where policies may change while the instance runs.
   *
   * @param file has pools as they stand under {@code pools}; null for none
   */
  public record Policies(@Nullable Path file) {}

  /**
   * The cluster in which the pools' pods run: the one of this pod's ServiceAccount, or of {@code
   * KUBECONFIG}.
   *
   * @param enabled whether it is asked for pods and for ConnectionPools
   * @param namespaces whose ConnectionPools are pools; empty for all
   * @param deletionCost whether pods are told by their connections which of them goes first
   */
  public record Kubernetes(boolean enabled, List<String> namespaces, boolean deletionCost) {
    public Kubernetes {
      namespaces = List.copyOf(namespaces);
    }
  }
}
