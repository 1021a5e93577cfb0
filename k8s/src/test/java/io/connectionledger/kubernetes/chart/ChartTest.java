package io.connectionledger.kubernetes.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.marcnuri.helm.LintResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The chart by itself: what it renders, and which values it refuses. */
class ChartTest {

  private static final Pattern POM_VERSION =
      Pattern.compile("<version>([0-9.]+)(-SNAPSHOT)?</version>");

  @Test
  void shouldPassAStrictLint() {
    LintResult lint = Chart.helm().lint().strict().quiet().call();

    assertThat(lint.isFailed()).as(String.join("\n", lint.getMessages())).isFalse();
    assertThat(lint.getMessages()).noneMatch(line -> line.matches(".*\\[(WARNING|ERROR)].*"));
  }

  @Test
  void shouldHaveTheVersionOfThePoms() throws IOException {
    Matcher version = POM_VERSION.matcher(Files.readString(Path.of("pom.xml")));
    assertThat(version.find()).isTrue();

    JsonNode chart = Chart.YAML.readTree(Chart.FOLDER.resolve("Chart.yaml").toFile());

    assertThat(chart.path("version").asText()).isEqualTo(version.group(1));
    assertThat(chart.path("appVersion").asText()).isEqualTo(version.group(1));
  }

  static List<Manifests> manifests() {
    return Manifests.ALL;
  }

  @ParameterizedTest
  @MethodSource("manifests")
  void shouldRenderTheManifestsThatAreCommitted(Manifests manifests) throws IOException {
    assertThat(Files.readString(manifests.file()))
        .as("%s is not what the chart renders: run k8s/render", manifests.file())
        .isEqualTo(manifests.rendered());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          legder.replicas=3                    | legder
          ledger.replica=3                     | ledger, replica
          ledger.replicas=0                    | ledger/replicas
          ledger.replicas=three                | ledger/replicas
          ledger.durability=slow               | ledger/durability
          ledger.lease.heartbeat=10            | ledger/lease/heartbeat
          ledger.lease.heartbeat=1m            | ledger/lease/heartbeat
          ledger.heapPercent=90                | ledger/heapPercent
          ledger.resources.limit.memory=1Gi    | ledger/resources, limit
          ledger.resources.limits.memory=much  | ledger/resources/limits/memory
          ledger.spread.zone=Sometimes         | ledger/spread/zone
          ledger.storage.className=GP3         | ledger/storage/className
          image.pullPolicy=Sometimes           | image/pullPolicy
          kubernetes.namespaces[0]=Chat        | kubernetes/namespaces/0
          kubernetes.deletion-cost=true        | kubernetes, deletion-cost
          kafka.mode=embedded                  | kafka/mode
          kafka.bootstrapServers=kafka         | kafka/bootstrapServers
          kafka.replication=0                  | kafka/replication
          pools.chat.mode=shadow               | pools/chat, per-pod-max-connections
          pools.chat.perPodMaxConnections=1    | pools/chat, perPodMaxConnections
          pools.chat.burst-capacity=0          | pools/chat/burst-capacity
          pools.chat.kubernetes.port=1         | pools/chat/kubernetes, namespace
          envoy.drainSeconds=-1                | envoy/drainSeconds
          envoy.pools[0].host=a                | envoy/pools/0, host
          envoy.pools[0].pathPrefix=chat       | envoy/pools/0/pathPrefix
          envoy.failOpen.burst=0               | envoy/failOpen/burst
          envoy.service.type=ExternalName      | envoy/service/type
          envoy.allowedHeaders[0]=X-User       | envoy/allowedHeaders/0
          ingress.alb.idleTimeoutSeconds=4001  | ingress/alb/idleTimeoutSeconds
          ingress.alb.scheme=public            | ingress/alb/scheme
          networkPolicy.kafkaPorts[0]=0        | networkPolicy/kafkaPorts/0
          monitoring.serviceMonitors.interval=often | monitoring/serviceMonitors/interval
          scaling.pools[0].pool=chat           | scaling/pools/0, namespace
          scaling.pools[0].kind=DaemonSet      | scaling/pools/0/kind
          """)
  void shouldRefuseAWrongValueByItsKey(String assignment, String named) {
    String[] keyAndValue = assignment.split("=", 2);
    Map<String, String> set = Map.of(keyAndValue[0], keyAndValue[1]);

    assertThatThrownBy(() -> Chart.render(set))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContainingAll(named.split(", ", -1));
  }

  @Test
  void shouldRefuseWhatCannotBeTogether() {
    assertThatThrownBy(
            () -> Chart.render(Map.of("envoy.pools[0].name", "a", "envoy.pools[1].name", "a")))
        .hasMessageContaining("envoy.pools: pool a is there twice");
    assertThatThrownBy(() -> Chart.render(Map.of("scaling.pools[0].minReplicas", "51"), Chart.EKS))
        .hasMessageContaining("scaling.pools: pool chat has minReplicas 51");
  }

  @Test
  void shouldHaveAPortForKedaWhereItScalesAlone() throws IOException {
    assertThat(Chart.render(Map.of())).doesNotContain("9004");

    List<JsonNode> objects = Chart.objects(Chart.render(Map.of("scaling.enabled", "true")));
    String asks = Chart.object(objects, "NetworkPolicy", "ledger").at("/spec/ingress").toString();
    assertThat(asks)
        .contains(
            "{\"from\":[{\"namespaceSelector\":{\"matchLabels\":{\"kubernetes.io/metadata.name\":\"keda\"}}}],"
                + "\"ports\":[{\"port\":9004}]}");
    assertThat(
            Chart.object(objects, "ConfigMap", "ledger").at("/data").path("ledger.yaml").asText())
        .contains("keda: { bind: 0.0.0.0, port: 9004 }");
    assertThat(Chart.object(objects, "Service", "ledger-instances").at("/spec/ports").toString())
        .contains("9004");
  }

  @Test
  void shouldRestartTheLedgerForItsConfigurationAndNotForItsPools() throws IOException {
    JsonNode pods = podsOfLedger(Map.of());

    assertThat(podsOfLedger(Map.of("pools.chat.per-pod-max-connections", "5"))).isEqualTo(pods);
    assertThat(podsOfLedger(Map.of("ledger.lease.missed", "4"))).isNotEqualTo(pods);
  }

  @Test
  void shouldMountTheSecretsOfKafka() throws IOException {
    List<JsonNode> objects =
        Chart.objects(Chart.render(Map.of("kafka.propertiesSecret", "kafka-of-ledger")));

    assertThat(Chart.object(objects, "ConfigMap", "ledger").at("/data/ledger.yaml").asText())
        .contains("properties-file: /etc/ledger-kafka/kafka.properties");
    JsonNode pod = Chart.object(objects, "StatefulSet", "ledger").at("/spec/template/spec");
    assertThat(pod.at("/volumes").toString()).contains("\"secretName\":\"kafka-of-ledger\"");
    assertThat(pod.at("/containers/0/volumeMounts").toString())
        .contains("\"mountPath\":\"/etc/ledger-kafka\"");
  }

  private static JsonNode podsOfLedger(Map<String, String> set) throws IOException {
    List<JsonNode> objects = Chart.objects(Chart.render(set));
    return Chart.object(objects, "StatefulSet", "ledger").at("/spec/template");
  }

  @Test
  void shouldGiveEveryContainerNoMoreThanItNeeds() throws IOException {
    List<JsonNode> pods = new ArrayList<>();
    for (Path values : List.of(Chart.LOCAL, Chart.EKS, Chart.EVERYTHING)) {
      for (JsonNode object : Chart.objects(Chart.render(Map.of(), values))) {
        if (object.at("/spec/template/spec/containers").isArray()) {
          pods.add(object.at("/spec/template/spec"));
        }
      }
    }

    // Three ledgers, three Envoys and a broker.
    assertThat(pods).hasSize(7);
    for (JsonNode pod : pods) {
      assertThat(pod.at("/securityContext/runAsUser").asInt()).isEqualTo(1000);
      assertThat(pod.at("/securityContext/runAsNonRoot").asBoolean()).isTrue();
      assertThat(pod.at("/securityContext/seccompProfile/type").asText())
          .isEqualTo("RuntimeDefault");
      assertThat(pod.path("automountServiceAccountToken").asBoolean())
          .isEqualTo(pod.path("serviceAccountName").asText().equals("ledger"));
      for (JsonNode container : pod.path("containers")) {
        assertThat(container.at("/securityContext/readOnlyRootFilesystem").asBoolean()).isTrue();
        assertThat(container.at("/securityContext/allowPrivilegeEscalation").asBoolean(true))
            .isFalse();
        assertThat(container.at("/securityContext/capabilities/drop/0").asText()).isEqualTo("ALL");
        assertThat(container.at("/resources/requests/cpu").isMissingNode()).isFalse();
        assertThat(container.at("/resources/limits/memory").isMissingNode()).isFalse();
      }
    }
  }

  @Test
  void shouldStopEnvoyOnlyAfterItHasDrained() throws IOException {
    List<JsonNode> objects =
        Chart.objects(Chart.render(Map.of("envoy.drainSeconds", "1000"), Chart.EKS));
    JsonNode pod = Chart.object(objects, "Deployment", "ledger-envoy").at("/spec/template/spec");
    JsonNode ingress = Chart.object(objects, "Ingress", "ledger");

    assertThat(pod.path("terminationGracePeriodSeconds").asInt()).isGreaterThan(1000);
    assertThat(ingress.at("/metadata/annotations").toString())
        .contains("deregistration_delay.timeout_seconds=1000");
  }

  @Test
  void shouldLetAnIngressOfAnAlbCarryWebSockets() throws IOException {
    List<JsonNode> objects = Chart.objects(Chart.render(Map.of(), Chart.EVERYTHING));
    JsonNode annotations = Chart.object(objects, "Ingress", "ledger").at("/metadata/annotations");
    String alb = "alb.ingress.kubernetes.io/";

    assertThat(annotations.path(alb + "load-balancer-attributes").asText())
        .isEqualTo("idle_timeout.timeout_seconds=3600");
    assertThat(annotations.path(alb + "healthcheck-path").asText()).isEqualTo("/ready");
    assertThat(annotations.path(alb + "healthcheck-port").asText()).isEqualTo("9902");
    assertThat(annotations.path(alb + "target-group-attributes").asText())
        .contains("stickiness.lb_cookie.duration_seconds=60");
    // One's own annotation wins.
    assertThat(annotations.path(alb + "target-type").asText()).isEqualTo("instance");
    assertThat(annotations.path("example.com/owner").asText()).isEqualTo("chat");
  }
}
