package io.connectionledger.kubernetes.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.connectionledger.model.policy.InvalidPolicyException;
import io.connectionledger.model.policy.PoolPolicy;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** That the definition of the resource allows what the ledger does. */
final class ConnectionPoolDefinitionTest {

  private static final JsonNode SPEC =
      Resources.yaml(Resources.definition())
          .at("/spec/versions/0/schema/openAPIV3Schema/properties/spec");

  @Test
  void hasTheKeysOfAPolicy() {
    Set<String> keys = new TreeSet<>(Set.of("service", "selector", "port", "drain"));
    Arrays.stream(PoolPolicy.class.getRecordComponents())
        .map(RecordComponent::getName)
        .forEach(keys::add);
    keys.removeAll(Set.of("pool", "pods", "kubernetes"));

    assertThat(SPEC.path("properties").properties())
        .extracting(entry -> entry.getKey())
        .containsExactlyInAnyOrderElementsOf(keys);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "connectionsPerSecond",
        "burstCapacity",
        "perPodMaxConnections",
        "targetUtilisation"
      })
  void hasTheRangesOfAPolicy(String key) {
    JsonNode least = SPEC.path("properties").path(key).path("minimum");
    JsonNode most = SPEC.path("properties").path(key).path("maximum");

    assertThatCode(() -> read(key, least.asText())).doesNotThrowAnyException();
    assertThatCode(() -> read(key, most.asText())).doesNotThrowAnyException();
    double step = least.isIntegralNumber() ? 1 : least.asDouble() / 10;
    refuses(key, least, -step);
    refuses(key, most, step);
  }

  private static void refuses(String key, JsonNode limit, double step) {
    double beyond = limit.asDouble() + step;
    String text =
        SPEC.path("properties").path(key).path("type").asText().equals("integer")
            ? Long.toString((long) beyond)
            : Double.toString(beyond);
    assertThatThrownBy(() -> read(key, text)).isInstanceOf(InvalidPolicyException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"mode", "onOwnerLoss", "placement"})
  void hasTheWordsOfAPolicy(String key) {
    StreamSupport.stream(SPEC.path("properties").path(key).path("enum").spliterator(), false)
        .map(JsonNode::asText)
        .forEach(
            word ->
                assertThatCode(() -> read(key, word + ", affinity: { cookie: c }"))
                    .doesNotThrowAnyException());
    assertThatThrownBy(() -> read(key, "other"))
        .isInstanceOf(InvalidPolicyException.class)
        .hasMessage(
            "%s is \"other\": allowed is %s",
            key,
            String.join(
                " or ",
                StreamSupport.stream(
                        SPEC.path("properties").path(key).path("enum").spliterator(), false)
                    .map(JsonNode::asText)
                    .toList()));
  }

  private static PoolResource read(String key, String value) {
    return PoolResource.of(Resources.pool("shop", "chat", "{ " + key + ": " + value + " }"));
  }
}
