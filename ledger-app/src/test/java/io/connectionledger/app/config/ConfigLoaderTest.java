package io.connectionledger.app.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.connectionledger.admission.check.Durability;
import io.connectionledger.admission.http.auth.AccessSettings;
import io.connectionledger.admission.http.port.HttpAddress;
import io.connectionledger.admission.http.port.HttpSettings;
import io.connectionledger.app.config.LedgerConfig.Authz;
import io.connectionledger.app.config.LedgerConfig.Instance;
import io.connectionledger.app.config.LedgerConfig.Kafka;
import io.connectionledger.app.config.LedgerConfig.Kubernetes;
import io.connectionledger.app.config.LedgerConfig.Lease;
import io.connectionledger.app.config.LedgerConfig.Listener;
import io.connectionledger.app.config.LedgerConfig.Policies;
import io.connectionledger.app.config.LedgerConfig.Tls;
import io.connectionledger.app.config.LedgerConfig.Tls.ClientAuth;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.PodNetworks;
import io.connectionledger.model.policy.Affinity;
import io.connectionledger.model.policy.HostMatch;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.policy.PoolPolicy.Mode;
import io.connectionledger.model.policy.PoolPolicy.OnOwnerLoss;
import io.connectionledger.model.policy.PoolPolicy.Placement;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ConfigLoaderTest {

  private static final String CONTRACT_SAMPLE =
      """
      data-dir: ./data
      kafka: { bootstrap-servers: "", port: 9092, partitions: 12, replication: 1, properties: {} }   # port: the embedded broker's
      instance: { host: 127.0.0.1 }           # how other instances reach this one
      als:   { port: 9001 }                   # gRPC AccessLogService
      authz: { port: 9002, durability: fast } # gRPC Authorization (ext_authz); fast | acknowledged
      http:  { port: 8090 }                   # ext_authz over HTTP, query API, metrics, dashboard
      xds:   { port: 18000 }                  # EDS
      lease: { heartbeat: 10s, missed: 3, reservation: 15s }
      pools:
        chat:
          connections-per-second: 1           # token bucket of the pool, over all Envoys
          burst-capacity: 10
          per-pod-max-connections: 2
          mode: enforce                       # enforce | shadow (decide and record; neither reject nor place)
          on-owner-loss: share                # share | deny | allow
          pods: [ { name: demo-pod-1, address: "127.0.0.1:9101" } ]   # or kubernetes: { namespace: x, service: y, port: z }
      """;

  private static final Tls TLS =
      new Tls(Path.of("tls.crt"), Path.of("tls.key"), null, ClientAuth.NONE);

  private static LedgerConfig read(String yaml) {
    return read(yaml, Map.of());
  }

  private static LedgerConfig read(String yaml, Map<String, String> environment) {
    return ConfigLoader.parse(yaml, "ledger.yaml", environment);
  }

  private static LedgerConfig defaultsWith(Map<String, PoolPolicy> pools) {
    return new LedgerConfig(
        Path.of("./data"),
        new Kafka(
            "", new Listener("127.0.0.1", 9092), 12, (short) 1, Kafka.RETENTION_BYTES, Map.of()),
        new Instance("127.0.0.1"),
        new Listener("127.0.0.1", 9001),
        new Authz(new Listener("127.0.0.1", 9002), Durability.FAST),
        new LedgerConfig.Http(HttpSettings.on("127.0.0.1", 8090), AccessSettings.OPEN),
        new Listener("127.0.0.1", 18_000),
        new Listener("127.0.0.1", 0),
        null,
        Map.of(),
        Map.of(),
        new Lease(Duration.ofSeconds(10), 3, Duration.ofSeconds(15), Duration.ofHours(1)),
        new Policies(null),
        new Kubernetes(false, List.of(), false),
        false,
        pools);
  }

  private static PoolPolicy pool(Map<String, PoolPolicy> pools, String name) {
    return Objects.requireNonNull(pools.get(name));
  }

  @ParameterizedTest
  @ValueSource(strings = {"base", "overlays/local", "overlays/eks"})
  void shouldTakeWhatTheChartRenders(String folder) throws IOException {
    Path file = Path.of("..", "k8s").resolve(folder).resolve("rendered.yaml");
    List<JsonNode> objects;
    try (MappingIterator<JsonNode> all =
        new YAMLMapper().readerFor(JsonNode.class).readValues(file.toFile())) {
      objects = all.readAll();
    }

    assertThat(objects)
        .extracting(object -> object.path("data"))
        .filteredOn(data -> data.has("ledger.yaml"))
        .singleElement()
        .satisfies(
            data -> {
              LedgerConfig config = read(data.path("ledger.yaml").asText());
              assertThat(config.policies().file()).hasToString("/etc/ledger/pools.yaml");
              Map<String, PoolPolicy> pools =
                  config.poolsWith(
                      PolicyFile.parse(data.path("pools.yaml").asText(), "pools.yaml"));
              assertThat(pools.values())
                  .hasSize(folder.equals("base") ? 0 : 1)
                  .allMatch(pool -> pool.kubernetes() != null);
            });
  }

  @Test
  void shouldReadTheContractsSample() {
    PoolPolicy chat =
        new PoolPolicy(
            "chat",
            1,
            10,
            2,
            Mode.ENFORCE,
            OnOwnerLoss.SHARE,
            List.of(new Pod("demo-pod-1", PodAddress.parse("127.0.0.1:9101"))));

    assertThat(read(CONTRACT_SAMPLE)).isEqualTo(defaultsWith(Map.of("chat", chat)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"''", "'# nothing'", "'---'", "'kafka:'", "'{ pools: {}, lease: { missed: } }'"})
  void shouldTakeDefaultsForWhatIsLeftOut(String yaml) {
    assertThat(read(yaml)).isEqualTo(defaultsWith(Map.of()));
  }

  @Test
  void shouldReadWhatAPoolClaims() {
    Map<String, PoolPolicy> pools =
        read("""
                pools:
                  chat:
                    per-pod-max-connections: 1
                    clusters: [ 'outbound|8080||chat.default.svc.cluster.local', 'httproute/*' ]
                    hosts: [ { host: Chat.Example.com }, { host: '*.example.com', path-prefix: /chat/ } ]
                """)
            .pools();

    assertThat(pool(pools, "chat").clusters())
        .containsExactly("outbound|8080||chat.default.svc.cluster.local", "httproute/*");
    assertThat(pool(pools, "chat").hosts())
        .containsExactly(
            new HostMatch("chat.example.com", "/"), new HostMatch("*.example.com", "/chat"));
  }

  @Test
  void shouldReadEveryKeyThatIsSet() {
    LedgerConfig config =
        read(
            """
            data-dir: /var/lib/ledger
            kafka:
              bootstrap-servers: "a:9092, [fd00::1]:9093"
              port: 0
              bind: "::1"
              partitions: 3
              replication: 2
              retention-bytes: 8589934592
              properties: { security.protocol: SSL, retries: 5 }
            instance: { host: ledger-0.ledger }
            tls: { certificate: tls.crt, key: tls.key }
            als:
              port: 1
              bind: 0.0.0.0
              identity: "{node}.envoys"
              tls: { certificate: a, key: b, client-ca: c }
            peers: { port: 4, bind: "::2" }
            keda: { port: 5 }
            authz: { port: 2, bind: localhost, durability: acknowledged }
            http:
              port: 65535
              bind: "::"
              admin: { port: 8091 }
              probes: { bind: 0.0.0.0 }
              hosts: [ ledger.example ]
              writable-pods: true
              auth:
                tokens-file: /etc/ledger/tokens
                jwt: { issuer: "https://id.example/realms/a", audience: ledger, roles-claim: realm_access.roles }
                metrics: read
            pods-allowed: [ 10.0.0.0/8, "fd00::/8" ]
            insecure: true
            xds: { port: 3, bind: 10.0.0.1 }
            lease: { heartbeat: 1s, missed: 100, reservation: 10m, unreported: 0s }
            policies: { file: /etc/ledger/pools.yaml }
            kubernetes: { enabled: true, namespaces: [ chat, game ], deletion-cost: true }
            """);

    assertThat(config)
        .isEqualTo(
            new LedgerConfig(
                Path.of("/var/lib/ledger"),
                new Kafka(
                    "a:9092, [fd00::1]:9093",
                    new Listener("::1", 0),
                    3,
                    (short) 2,
                    1L << 33,
                    Map.of("security.protocol", "SSL", "retries", "5")),
                new Instance("ledger-0.ledger"),
                new Listener("0.0.0.0", 1),
                new Authz(new Listener("localhost", 2), Durability.ACKNOWLEDGED),
                new LedgerConfig.Http(
                    new HttpSettings(
                        new HttpAddress("::", 65_535),
                        new HttpAddress("127.0.0.1", 8_091),
                        new HttpAddress("0.0.0.0", 8_092),
                        null,
                        Set.of("ledger.example"),
                        true,
                        new PodNetworks(
                            List.of(
                                PodNetworks.Network.parse("10.0.0.0/8"),
                                PodNetworks.Network.parse("fd00::/8")))),
                    new AccessSettings(
                        Path.of("/etc/ledger/tokens"),
                        new AccessSettings.Jwt(
                            URI.create("https://id.example/realms/a"),
                            "ledger",
                            "realm_access.roles"),
                        false)),
                new Listener("10.0.0.1", 3),
                new Listener("::2", 4),
                new Listener("127.0.0.1", 5),
                Map.of(
                    "als", new Tls(Path.of("a"), Path.of("b"), Path.of("c"), ClientAuth.REQUIRED),
                    "authz", TLS,
                    "xds", TLS,
                    "http", TLS,
                    "peers", TLS,
                    "keda", TLS),
                Map.of("als", "{node}.envoys"),
                new Lease(Duration.ofSeconds(1), 100, Duration.ofMinutes(10), Duration.ZERO),
                new Policies(Path.of("/etc/ledger/pools.yaml")),
                new Kubernetes(true, List.of("chat", "game"), true),
                true,
                Map.of()));
    assertThat(config.kafka().clientProperties()).containsEntry("retries", "5");
  }

  @Test
  void shouldTakeSecretsFromAPropertiesFile(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("kafka.properties");
    Files.writeString(file, "sasl.jaas.config = a \\\n  b=\"\u00fc\";\n# said\nretries=3\n");

    Kafka kafka =
        read("kafka: { properties: { acks: all }, properties-file: '%s' }".formatted(file)).kafka();

    assertThat(kafka.properties())
        .containsExactlyInAnyOrderEntriesOf(
            Map.of("acks", "all", "retries", "3", "sasl.jaas.config", "a b=\"\u00fc\";"));
    assertThat(kafka.toString()).contains("sasl.jaas.config").doesNotContain("\u00fc");
  }

  @Test
  void shouldRefuseAPropertiesFileWithoutTellingWhatItSays(@TempDir Path folder)
      throws IOException {
    Path file = folder.resolve("kafka.properties");
    String yaml = "kafka: { properties: { acks: all }, properties-file: '%s' }".formatted(file);

    assertThatThrownBy(() -> read(yaml))
        .isInstanceOf(ConfigException.class)
        .hasMessage("kafka.properties-file " + file + " does not exist");
    Files.writeString(file, "acks=secret");
    assertThatThrownBy(() -> read(yaml))
        .isInstanceOf(ConfigException.class)
        .hasMessage(
            "kafka.properties has acks, and so has "
                + file
                + " (kafka.properties-file): allowed is one of the two");
    Files.writeString(file, "password=\\u12");
    assertThatThrownBy(() -> read(yaml))
        .isInstanceOf(ConfigException.class)
        .hasMessage(
            "kafka.properties-file "
                + file
                + " is no Java properties file: Malformed \\uxxxx encoding.");
  }

  @Test
  void shouldDefaultWhatAPoolLeavesOut() {
    Map<String, PoolPolicy> pools =
        read("""
                pools:
                  b: { per-pod-max-connections: 7 }
                  a: { per-pod-max-connections: 1, connections-per-second: 2.5, mode: shadow }
                  c: { per-pod-max-connections: 1, connections-per-second: 0.25, pods: [] }
                """)
            .pools();

    assertThat(pools.keySet()).containsExactly("b", "a", "c");
    assertThat(pools.get("b"))
        .isEqualTo(
            new PoolPolicy(
                "b", PoolPolicy.UNLIMITED_RATE, 1, 7, Mode.ENFORCE, OnOwnerLoss.SHARE, List.of()));
    assertThat(pool(pools, "a").burstCapacity()).isEqualTo(3);
    assertThat(pool(pools, "a").mode()).isEqualTo(Mode.SHADOW);
    assertThat(pool(pools, "c").burstCapacity()).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({"2500ms, 2500", "10s, 10000", "5m, 300000"})
  void shouldReadDurations(String written, long millis) {
    assertThat(read("lease: { heartbeat: " + written + " }").lease().heartbeat())
        .isEqualTo(Duration.ofMillis(millis));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "kafka: { port: abc }"
            + " | kafka.port is 'abc' (ledger.yaml line 1): allowed is 0 to 65535",
        "kafka: { port: 65536 }"
            + " | kafka.port is '65536' (ledger.yaml line 1): allowed is 0 to 65535",
        "kafka: { port: -1 } | kafka.port is '-1' (ledger.yaml line 1): allowed is 0 to 65535",
        "kafka: { port: [1] } | kafka.port is a list (ledger.yaml line 1): allowed is a single value",
        "kafka: { port: 99999999999999999999 }"
            + " | kafka.port is '99999999999999999999' (ledger.yaml line 1): allowed is 0 to 65535",
        "kafka: 7" + " | kafka is '7' (ledger.yaml line 1): allowed is a mapping of keys to values",
        "kafka: { prot: 1 }"
            + " | unknown key kafka.prot (ledger.yaml line 1): allowed in kafka are"
            + " bootstrap-servers, port, bind, partitions, replication, retention-bytes, properties,"
            + " properties-file",
        "kafak: {}"
            + " | unknown key kafak (ledger.yaml line 1): allowed are data-dir, kafka, instance,"
            + " als, authz, http, xds, peers, keda, lease, policies,"
            + " kubernetes, pods-allowed, insecure, tls, pools",
        "kafka.port: 1"
            + " | unknown key kafka.port (ledger.yaml line 1): allowed are data-dir, kafka,"
            + " instance, als, authz, http, xds, peers, keda, lease, policies,"
            + " kubernetes, pods-allowed, insecure, tls, pools",
        "kafka: { bootstrap-servers: nowhere }"
            + " | kafka.bootstrap-servers is 'nowhere' (ledger.yaml line 1): allowed is host:port,"
            + " several separated by commas",
        "kafka: { replication: 3 }"
            + " | kafka.replication is '3' (ledger.yaml line 1): allowed is 1 with the embedded"
            + " broker (kafka.bootstrap-servers is '')",
        "kafka: { retention-bytes: 1 }"
            + " | kafka.retention-bytes is '1' (ledger.yaml line 1): allowed is 16777216 to"
            + " 1125899906842624",
        "kafka: { partitions: 0 }"
            + " | kafka.partitions is '0' (ledger.yaml line 1): allowed is 1 to 10000",
        "kafka: { properties: [] }"
            + " | kafka.properties is a list (ledger.yaml line 1): allowed is a mapping of keys to"
            + " values",
        "http: { bind: 'a b' }"
            + " | http.bind is 'a b' (ledger.yaml line 1): allowed is an IP address or a host name",
        "authz: { durability: slow }"
            + " | authz.durability is 'slow' (ledger.yaml line 1): allowed is fast or acknowledged",
        "lease: { missed: 0 } | lease.missed is '0' (ledger.yaml line 1): allowed is 1 to 100",
        "lease: { heartbeat: 10 }"
            + " | lease.heartbeat is '10' (ledger.yaml line 1): allowed is 1s to 10m, written as"
            + " 500ms, 10s, 5m or 1h",
        "lease: { heartbeat: 999ms }"
            + " | lease.heartbeat is '999ms' (ledger.yaml line 1): allowed is 1s to 10m, written"
            + " as 500ms, 10s, 5m or 1h",
        "pools: { a: { per-pod-max-connections: 1, clusters: [x] },"
            + " b: { per-pod-max-connections: 1, clusters: [x] } }"
            + " | pools.b.clusters has 'x': allowed is what no other pool claims; pool 'a' does",
        "pools: { a: { per-pod-max-connections: 1 },"
            + " b: { per-pod-max-connections: 1, clusters: ['?', 'a*'] } }"
            + " | pools.b.clusters has 'a*': allowed is what no other pool claims; pool 'a' does",
        "pools: { a: { per-pod-max-connections: 1, hosts: [ { host: 'a b' } ] } }"
            + " | pools.a.hosts[0].host is 'a b' (ledger.yaml line 1): allowed is { host: name or"
            + " *.name, path-prefix: a path that begins with / }",
        "pools: { a: { per-pod-max-connections: 1, clusters: ['a b'] } }"
            + " | pools.a.clusters is 'a b' (ledger.yaml line 1): allowed is up to 64 names of"
            + " Envoy's clusters of 1 to 256 printable characters, * being any",
        "lease: { unreported: 25h }"
            + " | lease.unreported is '25h' (ledger.yaml line 1): allowed is 0s to 24h, written as"
            + " 500ms, 10s, 5m or 1h",
        "lease: { reservation: 1h }"
            + " | lease.reservation is '1h' (ledger.yaml line 1): allowed is 1s to 10m, written as"
            + " 500ms, 10s, 5m or 1h",
        "pools: { chat: { mode: enforce } }"
            + " | pools.chat.per-pod-max-connections is missing (ledger.yaml line 1): allowed is 1"
            + " to 10000000",
        "pools: { chat: }"
            + " | pools.chat.per-pod-max-connections is missing (ledger.yaml line 1): allowed is 1"
            + " to 10000000",
        "pools: { chat: { per-pod-max-connections: 0 } }"
            + " | pools.chat.per-pod-max-connections is '0' (ledger.yaml line 1): allowed is 1 to"
            + " 10000000",
        "pools: { chat: { limit: 0 } }"
            + " | unknown key pools.chat.limit (ledger.yaml line 1): allowed in pools.chat are"
            + " connections-per-second, burst-capacity, per-pod-max-connections, mode,"
            + " on-owner-loss, pods, placement, affinity, slow-start, target-utilisation, clusters,"
            + " hosts, kubernetes",
        "pools: { chat: { per-pod-max-connections: 1, connections-per-second: 0 } }"
            + " | pools.chat.connections-per-second is '0' (ledger.yaml line 1): allowed is 0.001"
            + " to 1000000",
        "pools: { chat: { per-pod-max-connections: 1, connections-per-second: Infinity } }"
            + " | pools.chat.connections-per-second is 'Infinity' (ledger.yaml line 1): allowed is"
            + " 0.001 to 1000000",
        "pools: { chat: { per-pod-max-connections: 1, burst-capacity: 1.5 } }"
            + " | pools.chat.burst-capacity is '1.5' (ledger.yaml line 1): allowed is 1 to 1000000",
        "pools: { chat: { per-pod-max-connections: 1, mode: off } }"
            + " | pools.chat.mode is 'off' (ledger.yaml line 1): allowed is enforce or shadow",
        "pools: { chat: { per-pod-max-connections: 1, on-owner-loss: panic } }"
            + " | pools.chat.on-owner-loss is 'panic' (ledger.yaml line 1): allowed is share or"
            + " deny or allow",
        "pools: { 'a b': { per-pod-max-connections: 1 } }"
            + " | a pool is called 'a b' (ledger.yaml line 1): allowed are 1 to 128 letters,"
            + " digits, '.', '_' and '-'",
        "pools: { chat: { per-pod-max-connections: 1, kubernetes: { namespace: x } } }"
            + " | pools.chat.kubernetes.service is missing (ledger.yaml line 1): allowed is exactly"
            + " one of service and selector",
        "pools: { chat: { per-pod-max-connections: 1, kubernetes: { namespace: x, service: y,"
            + " port: 0 } } }"
            + " | pools.chat.kubernetes.port is '0' (ledger.yaml line 1): allowed is 1 to 65535, or"
            + " the name of a port",
        "pools: { chat: { per-pod-max-connections: 1, pods: [ { name: a, address: '1.2.3.4:5' } ],"
            + " kubernetes: { namespace: x, service: y, port: 80 } } }"
            + " | pools.chat.kubernetes is set beside pods (ledger.yaml line 1): allowed is {"
            + " namespace: x, service: y, port: z }, or selector: { label: value } in place of"
            + " service",
        "kubernetes: { enabled: yes } | kubernetes.enabled is 'yes' (ledger.yaml line 1): allowed is"
            + " true or false",
        "kubernetes: { namespaces: [ A ] } | kubernetes.namespaces[0] is 'A' (ledger.yaml line 1):"
            + " allowed is the name of a namespace",
        "pools: { chat: { per-pod-max-connections: 1, pods: x } }"
            + " | pools.chat.pods is 'x' (ledger.yaml line 1): allowed is a list",
        "pools: { chat: { per-pod-max-connections: 1, pods: [ { name: a } ] } }"
            + " | pools.chat.pods[0].address is missing (ledger.yaml line 1): allowed is ip:port or"
            + " [ipv6]:port, IPv4 without leading zeros, IPv6 without a zone",
        "pools: { chat: { per-pod-max-connections: 1, pods: [ { address: '1.2.3.4:5' } ] } }"
            + " | pools.chat.pods[0].name is missing (ledger.yaml line 1): allowed is 1 to 253"
            + " characters",
        "pools: { chat: { per-pod-max-connections: 1, pods: [ { name: a, address: b:1 } ] } }"
            + " | pools.chat.pods[0].address is 'b:1' (ledger.yaml line 1): allowed is ip:port or"
            + " [ipv6]:port, IPv4 without leading zeros, IPv6 without a zone",
        "pools: { chat: { per-pod-max-connections: 1, pods: [ { name: a, address: 127.0.0.04:9104 }"
            + " ] } } | pools.chat.pods[0].address is '127.0.0.04:9104' (ledger.yaml line 1):"
            + " allowed is ip:port or [ipv6]:port, IPv4 without leading zeros, IPv6 without a zone",
        "pools: { chat: { per-pod-max-connections: 1, pods: [ { name: a, address: '[::1]:9101' },"
            + " { name: b, address: '[0:0:0:0:0:0:0:1]:9101' } ] } }"
            + " | pools.chat.pods[1].address is '[0:0:0:0:0:0:0:1]:9101' (ledger.yaml line 1):"
            + " allowed is an address that no other pod has; another has it as '[::1]:9101'",
        "pools: { chat: { per-pod-max-connections: 1, pods: [ { nmae: a } ] } }"
            + " | unknown key pools.chat.pods[0].nmae (ledger.yaml line 1): allowed in"
            + " pools.chat.pods[0] are name, address",
        "pools: { chat: { per-pod-max-connections: 1, pods: &x [ *x ] } }"
            + " | pools.chat.pods holds itself (ledger.yaml line 1): allowed is a value without such"
            + " an alias",
        "pools: { chat: { per-pod-max-connections: 1, hosts: [ &x { host: *x } ] } }"
            + " | pools.chat.hosts[0] holds itself (ledger.yaml line 1): allowed is a value without"
            + " such an alias",
        "pools: { chat: { per-pod-max-connections: 1, pods: [ a ] } }"
            + " | pools.chat.pods[0] is 'a' (ledger.yaml line 1): allowed is a mapping of keys to"
            + " values",
        "'[]' | the configuration is '[]' (ledger.yaml line 1): allowed is a mapping of keys to"
            + " values",
        "tls: { certificate: a } | tls.certificate is 'a' (ledger.yaml line 1): allowed is left out,"
            + " or beside tls.certificate and .key",
        "als: { tls: { certificate: a, key: b, client-auth: optional } } | als.tls.client-auth is"
            + " 'optional' (ledger.yaml line 1): allowed is none, or beside als.tls.client-ca",
        "als: { identity: '{node}' } | als.identity is '{node}' (ledger.yaml line 1): allowed is left"
            + " out, or beside tls with client-auth: required",
        "http: { auth: { jwt: { audience: ledger } } } | http.auth.jwt.audience is 'ledger' (ledger.yaml"
            + " line 1): allowed is left out without http.auth.jwt.issuer",
        "http: { auth: { jwt: { issuer: 'https://id.example' } } } | http.auth.jwt.issuer is"
            + " 'https://id.example' (ledger.yaml line 1): allowed is left out without"
            + " http.auth.jwt.audience",
        "http: { auth: { jwt: { issuer: 'http://id.example', audience: a } } } |"
            + " http.auth.jwt.issuer is 'http://id.example' (ledger.yaml line 1): allowed is an"
            + " https URL, or an http URL of this machine",
        "http: { auth: { metrics: closed } } | http.auth.metrics is 'closed' (ledger.yaml line 1):"
            + " allowed is open or read",
        "pods-allowed: [ 10.0.0.0 ] | pods-allowed[0] is '10.0.0.0' (ledger.yaml line"
            + " 1): allowed is a network such as 10.0.0.0/8 or fd00::/8",
        "http: { admin: { prot: 1 } } | unknown key http.admin.prot (ledger.yaml line 1): allowed in"
            + " http.admin are port, bind",
        "insecure: maybe | insecure is 'maybe' (ledger.yaml line 1): allowed is true or false",
        "[] | the configuration is a list (ledger.yaml line 1): allowed is a mapping of keys to"
            + " values",
      })
  void shouldRefuseWithKeyValuePlaceAndWhatIsAllowed(String yaml, String line) {
    assertThatThrownBy(() -> read(yaml)).isInstanceOf(ConfigException.class).hasMessage(line);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "placement: sticky | pools.chat.placement is 'sticky' (ledger.yaml line 1): allowed is"
            + " least-connections or affinity",
        "slow-start: 2h | pools.chat.slow-start is '2h' (ledger.yaml line 1): allowed is 0s to 1h,"
            + " written as 500ms, 10s, 5m or 1h",
        "target-utilisation: 0 | pools.chat.target-utilisation is '0' (ledger.yaml line 1): allowed"
            + " is 0.1 to 1",
        "placement: affinity | pools.chat.affinity is missing with placement affinity (ledger.yaml"
            + " line 1): allowed is one of { header: <name> }, { cookie: <name> } and"
            + " { source-address: true }",
        "'affinity: { header: a, cookie: b }' | pools.chat.affinity is a mapping of several keys"
            + " (ledger.yaml line 1): allowed is one of { header: <name> }, { cookie: <name> } and"
            + " { source-address: true }",
        "'affinity: { header: \"a b\" }' | pools.chat.affinity.header is 'a b' (ledger.yaml line"
            + " 1): allowed is 1 to 128 characters of an HTTP token",
        "'affinity: { source-address: false }' | pools.chat.affinity is a mapping (ledger.yaml line"
            + " 1): allowed is one of { header: <name> }, { cookie: <name> } and"
            + " { source-address: true }",
        "'affinity: { path: / }' | unknown key pools.chat.affinity.path (ledger.yaml line 1):"
            + " allowed in pools.chat.affinity are header, cookie, source-address",
      })
  void shouldRefuseAPlacementThatMakesNoSense(String setting, String line) {
    assertThatThrownBy(
            () -> read("pools: { chat: { per-pod-max-connections: 1, " + setting + " } }"))
        .isInstanceOf(ConfigException.class)
        .hasMessage(line);
  }

  @Test
  void shouldReadHowPodsAreChosen() {
    Map<String, PoolPolicy> pools =
        read(
                """
                pools:
                  plain: { per-pod-max-connections: 1 }
                  sticky:
                    per-pod-max-connections: 1
                    placement: affinity
                    affinity: { cookie: session }
                    slow-start: 5m
                    target-utilisation: 0.5
                """,
                Map.of("LEDGER_POOLS_PLAIN_AFFINITY", "{ header: X-User }"))
            .pools();

    assertThat(pool(pools, "plain").placement()).isEqualTo(Placement.LEAST_CONNECTIONS);
    assertThat(pool(pools, "plain").affinity()).isEqualTo(Affinity.header("x-user"));
    assertThat(pool(pools, "plain").slowStart()).isEqualTo(Duration.ofSeconds(30));
    assertThat(pool(pools, "sticky").placement()).isEqualTo(Placement.AFFINITY);
    assertThat(pool(pools, "sticky").affinity()).isEqualTo(Affinity.cookie("session"));
    assertThat(pool(pools, "sticky").slowStart()).isEqualTo(Duration.ofMinutes(5));
    assertThat(pool(pools, "plain").targetUtilisation()).isEqualTo(0.8);
    assertThat(pool(pools, "sticky").targetUtilisation()).isEqualTo(0.5);
  }

  @Test
  void shouldRefuseTheSameAddressTwice() {
    String yaml =
        """
        pools:
          chat:
            per-pod-max-connections: 1
            pods:
              - { name: a, address: "127.0.0.1:1" }
              - { name: b, address: "127.0.0.1:1" }
        """;

    assertThatThrownBy(() -> read(yaml))
        .isInstanceOf(ConfigException.class)
        .hasMessage(
            "pools.chat.pods[1] is 'b' at 127.0.0.1:1 (ledger.yaml line 6): allowed is a name and an"
                + " address that no other pod has");
  }

  @ParameterizedTest
  @CsvSource({
    "[0:0:0:0:0:0:0:1]:9101, [::1]:9101",
    "[FD00::00AB]:9101, [fd00::ab]:9101",
    "[::ffff:127.0.0.1]:9101, 127.0.0.1:9101",
  })
  void shouldKeepThePodsInTheirCanonicalForm(String written, String canonical) {
    LedgerConfig config =
        read(
            "pools: { chat: { per-pod-max-connections: 1, pods: [ { name: a, address: '%s' } ] } }"
                .formatted(written));

    assertThat(pool(config.pools(), "chat").pods())
        .extracting(pod -> pod.address().toString())
        .containsExactly(canonical);
  }

  @Test
  void shouldRefuseAKeyThatIsSetTwice() {
    assertThatThrownBy(() -> read("kafka:\n  port: 1\n  bind: ::1\n  port: 2\n"))
        .isInstanceOf(ConfigException.class)
        .hasMessage("kafka.port is set twice (ledger.yaml line 4): allowed is once");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"'kafka: { port: 1'", "'a: b: c'", "'\tkafka: 1'", "'a: 1\n---\nb: 2'", "'a: \0'"})
  void shouldRefuseInOneLineWhatIsNotYaml(String yaml) {
    assertThatThrownBy(() -> read(yaml))
        .isInstanceOf(ConfigException.class)
        .message()
        .startsWith("ledger.yaml")
        .contains("is not YAML")
        .hasLineCount(1);
  }

  @Test
  void shouldNotShowALongValueWhole() {
    assertThatThrownBy(() -> read("kafka: { port: " + "x".repeat(1000) + " }"))
        .isInstanceOf(ConfigException.class)
        .message()
        .hasSizeLessThan(200);
  }

  @Test
  void shouldReadAFileAndRefuseAMissingOne(@TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("ledger.yaml"), CONTRACT_SAMPLE);
    Path missing = directory.resolve("missing.yaml");

    assertThat(ConfigLoader.load(file, Map.of()).pools()).containsOnlyKeys("chat");
    assertThatThrownBy(() -> ConfigLoader.load(missing, Map.of()))
        .isInstanceOf(ConfigException.class)
        .hasMessage("the configuration " + missing + " does not exist");
    assertThatThrownBy(() -> ConfigLoader.load(directory, Map.of()))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("cannot be read");
  }
}
