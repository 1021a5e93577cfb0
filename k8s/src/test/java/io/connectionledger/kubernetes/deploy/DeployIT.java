package io.connectionledger.kubernetes.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.testkit.KubeApi;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** deploy.sh with a real control plane. */
@Tag("kube-api")
final class DeployIT {

  private static final String OVERLAY =
      Path.of("src/test/resources/overlay").toAbsolutePath().toString();

  /** What changes by itself, and what an API server keeps about each CRD. */
  private static final Pattern NOT_COMPARED =
      Pattern.compile("(events|leases|nodes|componentstatuses|apiservices)(\\..*)?");

  /** Nobody makes volumes here when they are claimed. */
  private static final String VOLUME =
      """
      apiVersion: v1
      kind: PersistentVolume
      metadata: { name: volume-%d }
      spec: { capacity: { storage: 2Gi }, accessModes: [ReadWriteOnce], hostPath: { path: /volume } }
      ---
      """;

  private static KubeApi cluster;

  @BeforeAll
  static void start(@TempDir Path folder) throws Exception {
    cluster = KubeApi.start(folder.resolve("kube-api"));
    Path volumes = folder.resolve("volumes.yaml");
    Files.writeString(volumes, VOLUME.formatted(1) + VOLUME.formatted(2));
    assertThat(kubectl("apply", "--filename", volumes.toString())).hasSize(2);
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  private static Command deploy(String overlay, String... arguments) throws Exception {
    List<String> line = new ArrayList<>(List.of(Command.DEPLOY.toString()));
    line.addAll(List.of(arguments));
    return Command.run(
        Map.of("KUBECONFIG", cluster.kubeconfig().toString(), "DEPLOY_OVERLAY", overlay), line);
  }

  private static List<String> kubectl(String... arguments) throws Exception {
    List<String> line = new ArrayList<>(List.of("kubectl"));
    line.addAll(List.of(arguments));
    Command done = Command.run(Map.of("KUBECONFIG", cluster.kubeconfig().toString()), line);
    assertThat(done.exitCode()).as(done.output()).isZero();
    return done.output().lines().toList();
  }

  /** All objects of the cluster, kind and name, with their resource versions. */
  private static Map<String, String> objects() throws Exception {
    String kinds =
        kubectl("api-resources", "--verbs=list", "--output=name").stream()
            .filter(kind -> !NOT_COMPARED.matcher(kind).matches())
            .collect(Collectors.joining(","));
    Map<String, String> versions = new HashMap<>();
    for (String line :
        kubectl(
            "get",
            kinds,
            "--all-namespaces",
            "--no-headers",
            "--output=custom-columns=KIND:.kind,NAMESPACE:.metadata.namespace,"
                + "NAME:.metadata.name,VERSION:.metadata.resourceVersion")) {
      String[] words = line.split(" +", -1);
      versions.put(words[0] + " " + words[1] + "/" + words[2], words[3]);
    }
    return versions;
  }

  /** {@link #objects()} once controllers have written what they know of the last change. */
  private static Map<String, String> settled() {
    AtomicReference<Map<String, String>> last = new AtomicReference<>(Map.of());
    Awaitility.await("controllers are done")
        .pollInterval(Duration.ofSeconds(1))
        .atMost(Duration.ofSeconds(30))
        .until(
            () -> {
              Map<String, String> now = objects();
              return now.equals(last.getAndSet(now));
            });
    return last.get();
  }

  @Test
  void shouldChangeNothingTheSecondTimeAndLeaveNothingButCrds() throws Exception {
    Set<String> before = settled().keySet();

    Command first = deploy(OVERLAY, "apply");

    assertThat(first.exitCode()).as(first.output()).isZero();
    assertThat(first.output())
        .contains("created StatefulSet connection-ledger/ledger")
        .contains("created Lamp connection-ledger/lamp")
        .containsPattern("(\\d+) of \\1 objects changed")
        .contains("StatefulSet connection-ledger/ledger 1/1 ready")
        .endsWith("All is ready\n");

    Map<String, String> applied = settled();
    Command second = deploy(OVERLAY, "apply");

    assertThat(second.exitCode()).as(second.output()).isZero();
    assertThat(second.output()).containsPattern("Nothing changed: all \\d+ objects are");
    assertThat(objects().entrySet()).isSubsetOf(applied.entrySet());

    Command status = deploy(OVERLAY, "status");

    assertThat(status.exitCode()).as(status.output()).isZero();
    assertThat(status.output())
        .containsPattern("Deployment +connection-ledger/ledger-envoy +1/1 +ready")
        .containsPattern("ledger-0 +1/1 +Running");

    Command destroyed = deploy(OVERLAY, "destroy");

    assertThat(destroyed.exitCode()).as(destroyed.output()).isZero();
    assertThat(destroyed.output()).endsWith("All is gone but the CRDs\n");
    Map<String, String> left = settled();
    left.keySet().removeAll(before);
    assertThat(left)
        .containsOnlyKeys(
            "CustomResourceDefinition <none>/lamps.deploy.connectionledger.io",
            "CustomResourceDefinition <none>/connectionpools.connectionledger.io");
    assertThat(deploy(OVERLAY, "destroy").output()).startsWith("Nothing of ");
    assertThat(deploy(OVERLAY, "status").exitCode()).isEqualTo(1);
  }

  @Test
  void shouldSayWhatItChanges(@TempDir Path folder) throws Exception {
    String overlay = overlay(folder, CONFIG_MAP.formatted("old"));
    assertThat(deploy(overlay, "apply").output()).contains("created ConfigMap default/deployed");

    Command changed = deploy(overlay(folder, CONFIG_MAP.formatted("new")), "apply");

    assertThat(changed.output())
        .contains("  changed ConfigMap default/deployed\n1 of 1 objects changed");
    assertThat(deploy(overlay, "destroy", "--yes").exitCode()).isZero();
  }

  @Test
  void shouldSayWhichKindTheClusterLacks(@TempDir Path folder) throws Exception {
    String monitor =
        """
        apiVersion: monitoring.coreos.com/v1
        kind: ServiceMonitor
        metadata: { name: ledger, namespace: default }
        """;

    Command refused = deploy(overlay(folder, CONFIG_MAP.formatted("x") + monitor), "apply");

    assertThat(refused.exitCode()).isEqualTo(1);
    assertThat(refused.output())
        .contains("the cluster does not know ServiceMonitor (monitoring.coreos.com/v1)");
    assertThat(kubectl("get", "configmap", "deployed", "--ignore-not-found")).isEmpty();
  }

  @Test
  void shouldSayWhatItWaitedForInVain(@TempDir Path folder) throws Exception {
    String nowhere =
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: { name: nowhere, namespace: default }
        spec:
          selector: { matchLabels: { app: nowhere } }
          template:
            metadata: { labels: { app: nowhere } }
            spec: { nodeSelector: { no: such }, containers: [{ name: one, image: one }] }
        """;
    String overlay = overlay(folder, nowhere);

    Command late = deploy(overlay, "apply", "--timeout", "1");

    assertThat(late.exitCode()).isEqualTo(1);
    assertThat(late.output())
        .endsWith("deploy: not ready within 1 s: Deployment default/nowhere 0/1\n");
    assertThat(deploy(overlay, "status").exitCode()).isEqualTo(1);
    assertThat(deploy(overlay, "destroy").exitCode()).isZero();
  }

  private static final String CONFIG_MAP =
      """
      apiVersion: v1
      kind: ConfigMap
      metadata: { name: deployed, namespace: default }
      data: { key: %s }
      ---
      """;

  private static String overlay(Path folder, String objects) throws IOException {
    Files.writeString(folder.resolve("objects.yaml"), objects);
    Files.writeString(folder.resolve("kustomization.yaml"), "resources: [objects.yaml]\n");
    return folder.toString();
  }
}
