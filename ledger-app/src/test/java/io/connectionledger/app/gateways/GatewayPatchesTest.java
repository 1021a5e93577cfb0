package io.connectionledger.app.gateways;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.connectionledger.app.e2e.Fleet;
import java.io.IOException;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** That the Envoys of {@link GatewaysE2E} have what the manifests patch into those of a gateway. */
class GatewayPatchesTest {

  @Test
  void shouldBootWhatIsPatchedIntoEnvoyGateway() throws Exception {
    JsonNode bootstrap = GatewayBootstrap.ENVOY_GATEWAY.read();
    JsonNode patches = manifest("envoy-gateway/04-patch.yaml").at("/spec/jsonPatches");

    assertThat(patches).isNotEmpty();
    for (JsonNode patch : patches) {
      JsonNode added = added(patch.path("operation"));
      assertThat(isIn(bootstrap, added)).as(added.toPrettyString()).isTrue();
    }
  }

  @Test
  void shouldBootWhatIsPatchedIntoIstio() throws Exception {
    JsonNode bootstrap = GatewayBootstrap.ISTIO.read();
    JsonNode patches = manifest("istio/03-envoy-filter.yaml").at("/spec/configPatches");

    assertThat(patches).isNotEmpty();
    for (JsonNode patch : patches) {
      JsonNode added = patch.at("/patch/value");
      assertThat(isIn(bootstrap, added)).as(added.toPrettyString()).isTrue();
    }
  }

  private static JsonNode manifest(String name) throws IOException {
    return new YAMLMapper().readTree(Fleet.ROOT.resolve("k8s/integrations").resolve(name).toFile());
  }

  /** What a JSON patch adds: an element of a list, or a field of the object at its path. */
  private static JsonNode added(JsonNode operation) {
    ObjectNode field = JsonNodeFactory.instance.objectNode();
    return operation.has("path")
        ? field.set(operation.path("path").asText(), operation.path("value"))
        : operation.path("value");
  }

  private static boolean isIn(JsonNode whole, JsonNode part) {
    return covers(whole, part) || children(whole).anyMatch(child -> isIn(child, part));
  }

  private static Stream<JsonNode> children(JsonNode node) {
    return StreamSupport.stream(node.spliterator(), false);
  }

  /** Whether it has at least the fields of the other, with the same values. */
  private static boolean covers(JsonNode whole, JsonNode part) {
    if (part.isObject()) {
      return part.propertyStream()
          .allMatch(
              field ->
                  whole.has(field.getKey())
                      && covers(whole.path(field.getKey()), field.getValue()));
    }
    if (part.isArray()) {
      return whole.size() == part.size()
          && IntStream.range(0, part.size()).allMatch(i -> covers(whole.path(i), part.path(i)));
    }
    return whole.isValueNode() && whole.asText().equals(part.asText());
  }
}
