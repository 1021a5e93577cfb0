package io.connectionledger.kubernetes.chart;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.marcnuri.helm.Helm;
import com.marcnuri.helm.TemplateCommand;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The chart, rendered by Helm in this process. */
final class Chart {

  static final Path FOLDER = Path.of("chart");
  static final String RELEASE = "ledger";
  static final String NAMESPACE = "connection-ledger";

  /** Rendering asks no cluster for its version. */
  private static final String KUBERNETES = "1.36.0";

  static final Path LOCAL = FOLDER.resolve("values-local.yaml");
  static final Path EKS = FOLDER.resolve("values-eks.yaml");

  /** Switches everything on that no other values file does. */
  static final Path EVERYTHING = Path.of("src", "test", "resources", "values", "everything.yaml");

  static final YAMLMapper YAML = new YAMLMapper();

  private Chart() {}

  static Helm helm() {
    return new Helm(FOLDER);
  }

  /**
   * What `helm template` prints.
   *
   * @param set single values, by their keys, over the files
   * @param values files over values.yaml, the last one wins
   * @throws IllegalStateException with Helm's words when it refuses them
   */
  static String render(Map<String, String> set, Path... values) {
    return release(RELEASE, set, values);
  }

  /** {@link #render} for a release of another name. */
  static String release(String name, Map<String, String> set, Path... values) {
    TemplateCommand template =
        helm().template().withName(name).withNamespace(NAMESPACE).withKubeVersion(KUBERNETES);
    for (Path file : values) {
      template.withValuesFile(file);
    }
    set.forEach(template::set);
    return template.call();
  }

  /** The objects of what was rendered. */
  static List<JsonNode> objects(String rendered) throws IOException {
    try (MappingIterator<JsonNode> documents =
        YAML.readerFor(JsonNode.class).readValues(rendered)) {
      return documents.readAll().stream().filter(JsonNode::isObject).toList();
    }
  }

  /** The one object of a kind and a name. */
  static JsonNode object(List<JsonNode> objects, String kind, String name) {
    return objects.stream()
        .filter(object -> object.path("kind").asText().equals(kind))
        .filter(object -> object.at("/metadata/name").asText().equals(name))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no " + kind + " " + name));
  }

  /** The bootstrap file of the Envoys. */
  static JsonNode envoy(List<JsonNode> objects) throws IOException {
    JsonNode config = object(objects, "ConfigMap", RELEASE + "-envoy");
    return YAML.readTree(config.at("/data/envoy.yaml").asText());
  }
}
