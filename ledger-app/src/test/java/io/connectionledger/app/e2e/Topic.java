package io.connectionledger.app.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import io.connectionledger.model.PodAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The ledger's topics as a foreign consumer sees them: {@link ForeignConsumer} reads, and the
 * published schemas judge.
 *
 * @param events every value of ledger.connections
 * @param invalid what the schemas say against values of any topic
 */
public record Topic(List<JsonNode> events, List<String> invalid) {

  private static final ObjectMapper JSON = new ObjectMapper();

  public static Topic read(String bootstrapServers) throws IOException, InterruptedException {
    List<String> invalid = new ArrayList<>();
    List<JsonNode> events = values(bootstrapServers, "connections", invalid);
    values(bootstrapServers, "decisions", invalid);
    values(bootstrapServers, "pods", invalid);
    values(bootstrapServers, "policies", invalid);
    return new Topic(events, invalid);
  }

  /** What the pool's clients were answered. */
  static List<JsonNode> decisions(String bootstrapServers, String pool)
      throws IOException, InterruptedException {
    return values(bootstrapServers, "decisions", new ArrayList<>()).stream()
        .filter(decision -> decision.path("pool").asText().equals(pool))
        .toList();
  }

  private static List<JsonNode> values(String bootstrapServers, String name, List<String> invalid)
      throws IOException, InterruptedException {
    JsonSchema schema =
        JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
            .getSchema(
                Files.readString(Fleet.ROOT.resolve("docs/events/" + name + ".schema.json")));
    List<JsonNode> values = new ArrayList<>();
    for (String line : ForeignConsumer.read(bootstrapServers, "ledger." + name)) {
      JsonNode value = JSON.readTree(line);
      schema.validate(value).forEach(message -> invalid.add(message + " in " + value));
      values.add(value);
    }
    return values;
  }

  /** How many different connections had an event of this type on the pod. */
  long count(String type, PodAddress pod) {
    Set<String> connections = new HashSet<>();
    for (JsonNode event : events) {
      if (event.path("type").asText().equals(type)
          && event.path("pod").asText().equals(pod.toString())) {
        connections.add(event.path("connection").asText());
      }
    }
    return connections.size();
  }
}
