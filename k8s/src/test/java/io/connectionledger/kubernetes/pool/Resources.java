package io.connectionledger.kubernetes.pool;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** ConnectionPools that tests write down. */
final class Resources {

  /** The one source of the definition. */
  static final Path DEFINITION = Path.of("chart", "files", "connectionpool-crd.yaml");

  private static final KubernetesSerialization YAML = new KubernetesSerialization();

  /** What every spec needs, and no more. */
  private static final String LEAST = "{ service: chat, port: 8080, perPodMaxConnections: 2 }";

  private Resources() {}

  static ObjectNode yaml(String text) {
    // What begins with a brace would be taken for JSON.
    return YAML.unmarshal("---\n" + text, ObjectNode.class);
  }

  static String definition() {
    try {
      return Files.readString(DEFINITION);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The least spec with other keys; those with null are taken out. */
  static ObjectNode spec(String others) {
    ObjectNode spec = yaml(LEAST);
    for (Map.Entry<String, JsonNode> key : yaml(others).properties()) {
      if (key.getValue().isNull()) {
        spec.remove(key.getKey());
      } else {
        spec.set(key.getKey(), key.getValue());
      }
    }
    return spec;
  }

  /** One that a client may create. */
  static ConnectionPool pool(String namespace, String name, String others) {
    ConnectionPool pool = new ConnectionPool();
    pool.getMetadata().setNamespace(namespace);
    pool.getMetadata().setName(name);
    pool.setSpec(spec(others));
    return pool;
  }

  /**
   * One as the API server has it.
   *
   * @param createdAt its place among others by age
   */
  static ConnectionPool pool(String name, long generation, int createdAt, String others) {
    ConnectionPool pool = pool("shop", name, others);
    pool.getMetadata().setUid(name + "-uid");
    pool.getMetadata().setGeneration(generation);
    pool.getMetadata().setCreationTimestamp("2026-11-01T00:00:%02dZ".formatted(createdAt));
    return pool;
  }
}
