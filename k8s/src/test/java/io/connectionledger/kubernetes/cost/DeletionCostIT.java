package io.connectionledger.kubernetes.cost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.connectionledger.kubernetes.WriterCluster;
import io.connectionledger.kubernetes.leader.Leadership;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.policy.KubernetesPods;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A real ReplicaSet that scales down by the costs that are written. */
@Tag("kube-api")
final class DeletionCostIT {

  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String NAMESPACE = "shop";

  private static WriterCluster cluster;

  @BeforeAll
  static void start() throws IOException, InterruptedException {
    cluster = WriterCluster.start(Path.of("target", "kube-api-cost"), "--nodes", "1");
    cluster.createNamespace(NAMESPACE);
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  @Test
  void theEmptiestGoFirstAndAForeignCostStays() throws InterruptedException {
    apply(
        """
        apiVersion: v1
        kind: Service
        metadata: { name: chat }
        spec: { selector: { app: chat }, ports: [ { port: 8080 } ] }
        ---
        apiVersion: apps/v1
        kind: ReplicaSet
        metadata: { name: chat }
        spec:
          replicas: 5
          selector: { matchLabels: { app: chat } }
          template:
            metadata: { labels: { app: chat } }
            spec: { containers: [ { name: chat, image: chat } ] }
        """);
    await().atMost(PATIENCE).until(() -> ready().size() == 5);
    List<String> pods = ready();
    Map<String, Integer> active = new HashMap<>();
    for (int i = 0; i < pods.size(); i++) {
      active.put(pods.get(i), i * 10);
    }
    // The emptiest of all is somebody's own, who wants to keep it.
    annotate(pods.get(0), "1000");

    try (KubernetesClient client = cluster.writer();
        Leadership leadership =
            Leadership.start(
                client, WriterCluster.LEASES, "cost", Leadership.Terms.USUAL, Ticker.system());
        DeletionCost unused =
            DeletionCost.start(
                client,
                leadership,
                () ->
                    List.of(
                        new PoolLoad(
                            new KubernetesPods(NAMESPACE, "chat", Map.of(), "8080"), active)),
                Duration.ofMillis(200),
                Ticker.system())) {
      await()
          .atMost(PATIENCE)
          .untilAsserted(
              () ->
                  assertThat(costs())
                      .containsExactlyInAnyOrderEntriesOf(
                          Map.of(
                              pods.get(0), "1000",
                              pods.get(1), "1",
                              pods.get(2), "2",
                              pods.get(3), "3",
                              pods.get(4), "4")));
      assertThat(pod(pods.get(0)).getMetadata().getAnnotations())
          .doesNotContainKey(CostPlan.MARKER);

      cluster.admin().apps().replicaSets().inNamespace(NAMESPACE).withName("chat").scale(3);

      await().atMost(PATIENCE).until(() -> costs().size() == 3);
      assertThat(costs()).containsOnlyKeys(pods.get(0), pods.get(3), pods.get(4));
    }
  }

  private static void apply(String yaml) {
    Object unused =
        cluster
            .admin()
            .load(new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8)))
            .inNamespace(NAMESPACE)
            .create();
  }

  private static void annotate(String pod, String cost) {
    Object unused =
        cluster
            .admin()
            .pods()
            .inNamespace(NAMESPACE)
            .withName(pod)
            .edit(
                before -> {
                  before.getMetadata().getAnnotations().put(CostPlan.COST, cost);
                  return before;
                });
  }

  private static Pod pod(String name) {
    return cluster.admin().pods().inNamespace(NAMESPACE).withName(name).get();
  }

  private static List<Pod> pods() {
    return cluster.admin().pods().inNamespace(NAMESPACE).list().getItems();
  }

  private static List<String> ready() {
    return pods().stream()
        .filter(
            pod ->
                pod.getStatus().getConditions().stream()
                    .anyMatch(c -> c.getType().equals("Ready") && c.getStatus().equals("True")))
        .map(pod -> pod.getMetadata().getName())
        .sorted()
        .toList();
  }

  /** Of those that are not about to stop. */
  private static Map<String, String> costs() {
    Map<String, String> costs = new HashMap<>();
    for (Pod pod : pods()) {
      if (pod.getMetadata().getDeletionTimestamp() == null) {
        costs.put(
            pod.getMetadata().getName(),
            pod.getMetadata().getAnnotations().getOrDefault(CostPlan.COST, ""));
      }
    }
    return costs;
  }
}
