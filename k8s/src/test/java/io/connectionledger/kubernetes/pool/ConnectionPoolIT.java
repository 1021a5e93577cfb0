package io.connectionledger.kubernetes.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.connectionledger.kubernetes.WriterCluster;
import io.connectionledger.model.Ticker;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The definition of ConnectionPools, as a real API server takes it, and what follows them. */
@Tag("kube-api")
final class ConnectionPoolIT {

  private static final String POOLS =
      "/apis/connectionledger.io/v1alpha1/namespaces/shop/connectionpools";
  private static final Duration IN_FORCE = Duration.ofSeconds(2);

  private static WriterCluster cluster;
  private static RawApi api;

  @BeforeAll
  static void start() throws IOException, InterruptedException {
    cluster = WriterCluster.start(Path.of("target", "kube-api-pools"), "--only-api");
    cluster.createNamespace("shop");
    api = new RawApi(cluster.admin());
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  @Test
  void theDefinitionAppliesWithoutAWarning() {
    RawApi.Answer answer =
        api.apply(
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/connectionpools.connectionledger.io",
            Resources.definition());

    assertThat(answer.code()).as(answer.message()).isEqualTo(200);
    assertThat(answer.warnings()).isEmpty();
    assertThat(answer.body().at("/metadata/annotations/helm.sh~1resource-policy").asText())
        .isEqualTo("keep");
    assertThat(answer.body().at("/status/acceptedNames/shortNames/0").asText()).isEqualTo("cpool");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{ service: null, selector: { matchLabels: { app.kubernetes.io/name: chat, v: '' } } }",
        "{ port: ws }",
        "{ port: 65535 }",
        "{ connectionsPerSecond: 0.001, burstCapacity: 1000000, perPodMaxConnections: 10000000 }",
        "{ connectionsPerSecond: 1000000 }",
        "{ mode: shadow, onOwnerLoss: allow }",
        "{ mode: enforce, onOwnerLoss: deny, placement: least-connections }",
        "{ onOwnerLoss: share, placement: affinity, affinity: { header: X-User } }",
        "{ placement: affinity, affinity: { cookie: \"a'b\" } }",
        "{ placement: affinity, affinity: { sourceAddress: true } }",
        "{ affinity: { header: x, sourceAddress: false } }",
        "{ slowStart: 0s }",
        "{ slowStart: 1h }",
        "{ slowStart: 3600000ms }",
        "{ targetUtilisation: 0.1 }",
        "{ targetUtilisation: 1 }",
        "{ clusters: [ 'outbound|8080||chat.shop.svc.cluster.local', 'httproute/*' ] }",
        "{ hosts: [ { host: '*.Example.com' }, { host: '[fd00::7]', pathPrefix: '/a=b;\"c\"' } ] }",
        "{ drain: [ chat-7d4b9c-x2x, '10.0.0.7:8080', '[fd00::7]:8080' ] }",
      })
  void whatTheLedgerTakesIsAccepted(String keys) {
    RawApi.Answer answer = api.create(POOLS, object("good", keys), true);

    assertThat(answer.code()).as(answer.message()).isEqualTo(201);
    assertThat(answer.warnings()).isEmpty();
    assertThatCode(() -> PoolResource.of(Resources.pool("shop", "good", keys)))
        .doesNotThrowAnyException();
  }

  static Stream<Arguments> wrong() {
    return Stream.of(
        arguments("{ service: null }", "spec.service", "exactly one of service and selector"),
        arguments(
            "{ selector: { matchLabels: { app: chat } } }",
            "spec.service",
            "exactly one of service and selector"),
        arguments("{ service: Chat_1 }", "spec.service", "the name of a Service"),
        arguments("{ service: '' }", "spec.service", "the name of a Service"),
        arguments("{ service: null, selector: {} }", "spec.selector.matchLabels", "Required"),
        arguments(
            "{ service: null, selector: { matchLabels: {} } }",
            "spec.selector.matchLabels",
            "at least 1"),
        arguments(
            "{ service: null, selector: { matchLabels: { 'a b': c } } }",
            "spec.selector.matchLabels",
            "the keys of labels"),
        arguments(
            "{ service: null, selector: { matchLabels: { app: 'b c' } } }",
            "spec.selector.matchLabels[app]",
            "the value of a label"),
        arguments("{ port: null }", "spec.port", "Required"),
        arguments("{ port: 0 }", "spec.port", "1 to 65535, or the name of a port"),
        arguments("{ port: 65536 }", "spec.port", "1 to 65535, or the name of a port"),
        arguments("{ port: '8080' }", "spec.port", "1 to 65535, or the name of a port"),
        arguments("{ port: Web }", "spec.port", "1 to 65535, or the name of a port"),
        arguments("{ port: a-very-long-name }", "spec.port", "Too long"),
        arguments("{ perPodMaxConnections: null }", "spec.perPodMaxConnections", "Required"),
        arguments("{ perPodMaxConnections: 0 }", "spec.perPodMaxConnections", "equal to 1"),
        arguments("{ perPodMaxConnections: 10000001 }", "spec.perPodMaxConnections", "10000000"),
        arguments("{ perPodMaxConnections: 1.5 }", "spec.perPodMaxConnections", "integer"),
        arguments("{ connectionsPerSecond: 0 }", "spec.connectionsPerSecond", "0.001"),
        arguments("{ connectionsPerSecond: 1000001 }", "spec.connectionsPerSecond", "1000000"),
        arguments("{ connectionsPerSecond: many }", "spec.connectionsPerSecond", "number"),
        arguments("{ burstCapacity: 0 }", "spec.burstCapacity", "equal to 1"),
        arguments("{ burstCapacity: 1000001 }", "spec.burstCapacity", "1000000"),
        arguments("{ mode: loud }", "spec.mode", "\"enforce\", \"shadow\""),
        arguments("{ onOwnerLoss: maybe }", "spec.onOwnerLoss", "\"share\", \"deny\", \"allow\""),
        arguments("{ placement: any }", "spec.placement", "\"least-connections\", \"affinity\""),
        arguments("{ placement: affinity }", "spec.affinity", "required with placement affinity"),
        arguments("{ affinity: {} }", "spec.affinity", "exactly one of"),
        arguments("{ affinity: { sourceAddress: false } }", "spec.affinity", "exactly one of"),
        arguments("{ affinity: { header: a, cookie: b } }", "spec.affinity", "exactly one of"),
        arguments("{ affinity: { header: 'a b' } }", "spec.affinity.header", "an HTTP token"),
        arguments("{ affinity: { cookie: '' } }", "spec.affinity.cookie", "an HTTP token"),
        arguments("{ slowStart: 2h }", "spec.slowStart", "0s to 1h"),
        arguments("{ slowStart: 61m }", "spec.slowStart", "0s to 1h"),
        arguments("{ slowStart: 3601s }", "spec.slowStart", "0s to 1h"),
        arguments("{ slowStart: 3600001ms }", "spec.slowStart", "0s to 1h"),
        arguments("{ slowStart: '30' }", "spec.slowStart", "0s to 1h"),
        arguments("{ slowStart: -5s }", "spec.slowStart", "0s to 1h"),
        arguments("{ targetUtilisation: 0 }", "spec.targetUtilisation", "0.1 to 1"),
        arguments("{ targetUtilisation: 0.05 }", "spec.targetUtilisation", "0.1"),
        arguments("{ targetUtilisation: 1.1 }", "spec.targetUtilisation", "equal to 1"),
        arguments("{ clusters: [ 'a b' ] }", "spec.clusters[0]", "printable"),
        arguments("{ clusters: [ '' ] }", "spec.clusters[0]", "printable"),
        arguments("{ clusters: [ a, a ] }", "spec.clusters[1]", "Duplicate"),
        arguments("{ clusters: " + names(65) + " }", "spec.clusters", "at most 64"),
        arguments("{ hosts: [ {} ] }", "spec.hosts[0].host", "Required"),
        arguments("{ hosts: [ { host: 'a b' } ] }", "spec.hosts[0].host", "a name or *.name"),
        arguments(
            "{ hosts: [ { host: a, pathPrefix: chat } ] }",
            "spec.hosts[0].pathPrefix",
            "begins with /"),
        arguments(
            "{ hosts: [ { host: a, pathPrefix: '/a?b' } ] }",
            "spec.hosts[0].pathPrefix",
            "begins with /"),
        arguments("{ drain: [ Chat_1 ] }", "spec.drain[0]", "the name of a pod, or its ip:port"),
        arguments("{ drain: [ a, a ] }", "spec.drain[1]", "Duplicate"),
        arguments("{ drain: [ a, '10.0.0.7:ws' ] }", "spec.drain[1]", "the name of a pod"),
        arguments("{ perPodMaxConection: 2 }", "spec.perPodMaxConection", "unknown field"));
  }

  private static List<String> names(int count) {
    return IntStream.range(0, count).mapToObj(i -> "c" + i).toList();
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void whatIsWrongIsRefusedByItsField(String keys, String field, String allowed) {
    RawApi.Answer answer = api.create(POOLS, object("bad", keys), true);

    assertThat(answer.code()).isBetween(400, 422);
    assertThat(answer.message()).contains(field).contains(allowed);
  }

  @Test
  void aNameThatNoPoolMayHaveIsRefused() {
    assertThat(api.create(POOLS, object("x".repeat(64), "{}"), true).code()).isEqualTo(201);

    RawApi.Answer answer = api.create(POOLS, object("x".repeat(65), "{}"), true);

    assertThat(answer.code()).isEqualTo(422);
    assertThat(answer.message()).contains("metadata.name", "1 to 64 characters");
  }

  @Test
  void kubectlGetShowsTheFigures() {
    assertThat(api.create(POOLS, object("shown", "{}"), false).code()).isEqualTo(201);
    RawApi.Answer applied =
        api.apply(
            POOLS + "/shown/status",
            """
            apiVersion: connectionledger.io/v1alpha1
            kind: ConnectionPool
            metadata: { name: shown, namespace: shop }
            status:
              active: 5
              reserved: 2
              capacity: 40
              rejected5m: 7
              desiredPods: 3
              completeness: "0.99"
              observedGeneration: 1
              conditions:
              - { type: Ready, status: "False", reason: Unleased, message: so, observedGeneration: 1, lastTransitionTime: "2026-11-27T10:00:00Z" }
            """);

    RawApi.Answer table = api.table(POOLS + "/shown");

    assertThat(applied.code()).as(applied.message()).isEqualTo(200);
    assertThat(table.body().path("columnDefinitions"))
        .extracting(column -> column.path("name").asText())
        .containsExactly(
            "Name", "Active", "Reserved", "Capacity", "Desired", "Rejected(5m)", "Ready", "Age");
    assertThat(table.body().path("columnDefinitions"))
        .allMatch(column -> column.path("priority").asInt() == 0);
    JsonNode cells = table.body().at("/rows/0/cells");
    assertThat(cells)
        .extracting(JsonNode::asText)
        .startsWith("shown", "5", "2", "40", "3", "7", "False")
        .hasSize(8);
  }

  @Test
  void aChangeIsInForceWithinTwoSeconds() throws InterruptedException {
    cluster.createNamespace("watched");
    AtomicReference<@Nullable Map<String, PoolResource>> told = new AtomicReference<>();
    try (KubernetesClient client = cluster.writer();
        PoolResources following =
            PoolResources.start(client, List.of(), List.of(), told::set, Ticker.system())) {
      await().until(() -> told.get() != null);
      await().until(() -> following.outage().isEmpty());

      ConnectionPool pool = Resources.pool("watched", "chat", "{}");
      pool = cluster.admin().resource(pool).create();
      await().atMost(IN_FORCE).until(() -> perPod(told.get()) == 2);

      pool.getSpec().put("perPodMaxConnections", 9).putArray("drain").add("chat-1");
      pool = cluster.admin().resource(pool).update();
      await().atMost(IN_FORCE).until(() -> perPod(told.get()) == 9);
      assertThat(told.get())
          .extractingByKey("watched.chat")
          .extracting(PoolResource::drain)
          .isEqualTo(Set.of("chat-1"));

      cluster.admin().resource(pool).delete();
      await().atMost(IN_FORCE).until(() -> perPod(told.get()) == 0);
    }
  }

  private static int perPod(@Nullable Map<String, PoolResource> told) {
    PoolResource pool = told == null ? null : told.get("watched.chat");
    return pool == null ? 0 : pool.policy().perPodMaxConnections();
  }

  private static ObjectNode object(String name, String keys) {
    ObjectNode object =
        Resources.yaml("{ apiVersion: connectionledger.io/v1alpha1, kind: ConnectionPool }");
    object.putObject("metadata").put("name", name).put("namespace", "shop");
    object.set("spec", Resources.spec(keys));
    return object;
  }
}
