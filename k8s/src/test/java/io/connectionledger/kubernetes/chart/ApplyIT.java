package io.connectionledger.kubernetes.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.connectionledger.kubernetes.deploy.Command;
import io.connectionledger.testkit.KubeApi;
import io.connectionledger.testkit.TestFolders;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.HttpResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a Kubernetes API server says to the chart's objects: applied as kubectl does it on the
 * server's side, with strict validation, everything is taken without a warning.
 */
@Tag("kube-api")
class ApplyIT {

  private static final Path CRDS = Path.of("src", "test", "resources", "crds");
  private static final String CONTENT = "application/apply-patch+yaml";

  private static KubeApi api;
  private static KubernetesClient client;

  /** The path of each kind, by apiVersion and kind. */
  private static final Map<String, Kind> KINDS = new LinkedHashMap<>();

  private record Kind(String path, String plural, boolean namespaced) {}

  @BeforeAll
  static void start() throws Exception {
    api = KubeApi.start(TestFolders.empty(Path.of("target"), "kube-api-chart"), "--only-api");
    client =
        new KubernetesClientBuilder()
            .withConfig(Config.fromKubeconfig(Files.readString(api.kubeconfig())))
            .build();
    List<JsonNode> crds = new ArrayList<>();
    try (Stream<Path> files = Files.list(CRDS)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".yaml")).toList()) {
        crds.addAll(Chart.objects(Files.readString(file)));
      }
    }
    crds.addAll(
        Chart.objects(
            Files.readString(Chart.FOLDER.resolve("files").resolve("connectionpool-crd.yaml"))));
    for (JsonNode crd : crds) {
      assertThat(apply(crd, false)).isEmpty();
    }
    for (JsonNode crd : crds) {
      String group = crd.at("/spec/group").asText();
      String version = crd.at("/spec/versions/0/name").asText();
      Awaitility.await(crd.at("/metadata/name").asText())
          .atMost(Duration.ofSeconds(30))
          .ignoreExceptions()
          .until(
              () ->
                  client
                      .raw("/apis/" + group + "/" + version)
                      .contains('"' + crd.at("/spec/names/plural").asText() + '"'));
    }
    for (String namespace : List.of("chat", "game")) {
      assertThat(apply(namespace(namespace), false)).isEmpty();
    }
  }

  @AfterAll
  static void stop() {
    client.close();
    api.close();
  }

  static List<Path> valuesFiles() {
    return List.of(Chart.FOLDER.resolve("values.yaml"), Chart.LOCAL, Chart.EKS, Chart.EVERYTHING);
  }

  @ParameterizedTest
  @MethodSource("valuesFiles")
  void shouldBeTakenWithoutAWarning(Path values) throws Exception {
    List<JsonNode> objects =
        Chart.objects(Chart.render(Map.of("namespace.create", "true"), values));
    assertThat(apply(Chart.object(objects, "Namespace", Chart.NAMESPACE), false)).isEmpty();

    List<String> complaints = new ArrayList<>();
    for (JsonNode object : objects) {
      complaints.addAll(apply(object, true));
    }

    assertThat(complaints).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "overlays/local",
        "overlays/eks",
        "integrations/envoy-gateway",
        "integrations/istio"
      })
  void shouldBeTakenFromKubectlWithoutAWarning(String folder) throws Exception {
    for (String namespace : List.of(Chart.NAMESPACE, "istio-ingress")) {
      assertThat(apply(namespace(namespace), false)).isEmpty();
    }

    Command applied =
        Command.run(
            Map.of("KUBECONFIG", api.kubeconfig().toString()),
            List.of(
                "kubectl",
                "apply",
                "--kustomize",
                folder,
                "--server-side",
                "--dry-run=server",
                "--validate=strict"));

    assertThat(applied.exitCode()).as(applied.output()).isZero();
    assertThat(applied.output().lines())
        .hasSizeGreaterThan(3)
        .allMatch(line -> line.endsWith(" serverside-applied (server dry run)"));
  }

  /** So that {@link #shouldBeTakenWithoutAWarning} says something. */
  @Test
  void shouldHearOfUnknownFieldsAndOfPodsThatMayTooMuch() throws Exception {
    List<JsonNode> objects = Chart.objects(Chart.render(Map.of("namespace.create", "true")));
    assertThat(apply(Chart.object(objects, "Namespace", Chart.NAMESPACE), false)).isEmpty();
    JsonNode service = Chart.object(objects, "Service", "ledger");
    ((ObjectNode) service.path("spec")).put("portz", 1);
    JsonNode envoy = Chart.object(objects, "Deployment", "ledger-envoy");
    ((ObjectNode) envoy.at("/spec/template/spec")).put("hostNetwork", true);

    assertThat(apply(service, true)).singleElement().asString().contains("portz");
    assertThat(apply(envoy, true)).singleElement().asString().contains("would violate PodSecurity");
  }

  @ParameterizedTest
  @CsvSource({
    // verb, group, resource, namespace, in all namespaces, in chat and game with the deletion cost
    "list, connectionledger.io, connectionpools, chat, true, true",
    "watch, connectionledger.io, connectionpools, '', true, false",
    "patch, connectionledger.io, connectionpools/status, chat, true, true",
    "update, connectionledger.io, connectionpools/status, game, false, false",
    "get, '', services, game, true, true",
    "list, '', services, chat, false, false",
    "patch, connectionledger.io, connectionpools, chat, false, false",
    "create, connectionledger.io, connectionpools, chat, false, false",
    "delete, connectionledger.io, connectionpools, chat, false, false",
    "watch, discovery.k8s.io, endpointslices, chat, true, true",
    "list, discovery.k8s.io, endpointslices, default, true, false",
    "patch, discovery.k8s.io, endpointslices, chat, false, false",
    "watch, '', pods, game, true, true",
    "watch, '', pods, default, true, false",
    "patch, '', pods, chat, false, true",
    "patch, '', pods, default, false, false",
    "delete, '', pods, chat, false, false",
    "create, '', pods/exec, chat, false, false",
    "get, '', pods/log, chat, false, false",
    "create, coordination.k8s.io, leases, connection-ledger, true, true",
    "update, coordination.k8s.io, leases, connection-ledger, false, false",
    "delete, coordination.k8s.io, leases, connection-ledger, false, false",
    "update, coordination.k8s.io, leases, chat, false, false",
    "get, '', secrets, connection-ledger, false, false",
    "get, '', secrets, chat, false, false",
    "get, '', configmaps, connection-ledger, false, false",
    "list, '', namespaces, '', false, false",
    "list, '', nodes, '', false, false",
    "patch, apps, statefulsets, connection-ledger, false, false",
    "create, rbac.authorization.k8s.io, clusterrolebindings, '', false, false",
  })
  void shouldAllowTheServiceAccountWhatTheLedgerNeedsAndNoMore(
      String verb,
      String group,
      String resource,
      String namespace,
      boolean everywhere,
      boolean named)
      throws Exception {
    // Both at once: each release has roles and an account of its own.
    grant("everywhere", Map.of());
    grant(
        "named",
        Map.of(
            "kubernetes.namespaces[0]", "chat",
            "kubernetes.namespaces[1]", "game",
            "kubernetes.deletionCost", "true"));

    String[] parts = resource.split("/", 2);
    ObjectNode question = Chart.YAML.createObjectNode();
    question
        .put("verb", verb)
        .put("group", group)
        .put("resource", parts[0])
        .put("subresource", parts.length > 1 ? parts[1] : "")
        .put("namespace", namespace);
    assertThat(may("everywhere", question)).as("in all namespaces").isEqualTo(everywhere);
    assertThat(may("named", question)).as("in named namespaces").isEqualTo(named);
  }

  /** Applies the account and the roles of a release. */
  private static void grant(String release, Map<String, String> set) throws Exception {
    assertThat(apply(namespace(Chart.NAMESPACE), false)).isEmpty();
    for (JsonNode object : Chart.objects(Chart.release(release, set))) {
      if (object.path("apiVersion").asText().startsWith("rbac.")
          || object.path("kind").asText().equals("ServiceAccount")) {
        assertThat(apply(object, false)).isEmpty();
      }
    }
  }

  private static boolean may(String account, ObjectNode question) throws Exception {
    ObjectNode review = Chart.YAML.createObjectNode();
    review.put("apiVersion", "authorization.k8s.io/v1").put("kind", "SubjectAccessReview");
    review
        .putObject("spec")
        .put("user", "system:serviceaccount:" + Chart.NAMESPACE + ":" + account)
        .set("resourceAttributes", question);
    HttpResponse<String> answer =
        send(
            "POST",
            "application/json",
            "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            review.toString());
    JsonNode status = Chart.YAML.readTree(answer.body()).path("status");
    assertThat(status.has("allowed")).as(answer.body()).isTrue();
    return status.path("allowed").asBoolean();
  }

  private static JsonNode namespace(String name) {
    ObjectNode namespace = Chart.YAML.createObjectNode();
    namespace.put("apiVersion", "v1").put("kind", "Namespace");
    namespace.putObject("metadata").put("name", name);
    return namespace;
  }

  /** Applies an object and returns what the server says against it: warnings, or its refusal. */
  private static List<String> apply(JsonNode object, boolean dryRun) throws Exception {
    Kind kind = kind(object.path("apiVersion").asText(), object.path("kind").asText());
    String namespace = object.at("/metadata/namespace").asText();
    String name = object.at("/metadata/name").asText();
    assertThat(namespace.isEmpty()).as(kind + " " + name).isNotEqualTo(kind.namespaced());
    HttpResponse<String> answer =
        send(
            "PATCH",
            CONTENT,
            kind.path()
                + (kind.namespaced() ? "/namespaces/" + namespace : "")
                + "/"
                + kind.plural()
                + "/"
                + name
                + "?fieldManager=chart&force=true&fieldValidation=Strict"
                + (dryRun ? "&dryRun=All" : ""),
            object.toString());
    List<String> complaints = new ArrayList<>();
    answer
        .headers("Warning")
        .forEach(warning -> complaints.add(kind.plural() + " " + name + ": " + warning));
    if (!answer.isSuccessful()) {
      complaints.add(kind.plural() + " " + name + ": " + answer.body());
    }
    return complaints;
  }

  private static HttpResponse<String> send(String method, String content, String path, String body)
      throws Exception {
    HttpRequest request =
        client
            .getHttpClient()
            .newHttpRequestBuilder()
            .uri(api.url() + path)
            .method(method, content, body)
            .build();
    return client.getHttpClient().sendAsync(request, String.class).get();
  }

  private static Kind kind(String apiVersion, String kind) {
    return KINDS.computeIfAbsent(apiVersion + " " + kind, unknown -> find(apiVersion, kind));
  }

  private static Kind find(String apiVersion, String kind) {
    String path = (apiVersion.contains("/") ? "/apis/" : "/api/") + apiVersion;
    String resources = Objects.requireNonNullElse(client.raw(path), "{}");
    try {
      for (JsonNode resource : Chart.YAML.readTree(resources).path("resources")) {
        String plural = resource.path("name").asText();
        if (resource.path("kind").asText().equals(kind) && !plural.contains("/")) {
          return new Kind(path, plural, resource.path("namespaced").asBoolean());
        }
      }
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
    throw new AssertionError("the server does not know " + apiVersion + " " + kind);
  }
}
