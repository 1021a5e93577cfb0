package io.connectionledger.app.events;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import io.connectionledger.app.e2e.Fleet;
import io.connectionledger.model.Topics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** docs/events/asyncapi.yaml says what the code does. */
class AsyncApiTest {

  private static final Path EVENTS = Fleet.ROOT.resolve("docs/events");

  private final JsonNode document = read(EVENTS.resolve("asyncapi.yaml"));

  @Test
  void shouldDescribeEveryTopicWithItsSettings() {
    Map<String, Map<String, String>> described = new HashMap<>();
    for (JsonNode channel : document.path("channels")) {
      Map<String, String> settings = new HashMap<>();
      channel
          .at("/bindings/kafka/topicConfiguration")
          .properties()
          .forEach(
              setting ->
                  settings.put(
                      setting.getKey(),
                      setting.getValue().isArray()
                          ? setting.getValue().path(0).asText()
                          : setting.getValue().asText()));
      described.put(channel.path("address").asText(), settings);
    }

    Map<String, Map<String, String>> created = new HashMap<>();
    Topics.ALL.forEach(topic -> created.put(topic.name(), topic.configs()));
    assertThat(described).isEqualTo(created);
  }

  @Test
  void shouldSendToEveryChannel() {
    List<String> channels =
        document
            .path("operations")
            .valueStream()
            .map(operation -> operation.at("/channel/$ref").asText())
            .toList();

    assertThat(channels)
        .containsExactlyInAnyOrderElementsOf(
            document
                .path("channels")
                .propertyStream()
                .map(channel -> "#/channels/" + channel.getKey())
                .toList());
  }

  @Test
  void shouldReferToWhatExists() {
    List<JsonNode> references = document.findValues("$ref");

    assertThat(references).isNotEmpty();
    assertThat(references)
        .extracting(JsonNode::asText)
        .allSatisfy(
            reference -> {
              if (reference.startsWith("#")) {
                assertThat(document.at(reference.substring(1)).isMissingNode()).isFalse();
              } else {
                assertThat(EVENTS.resolve(reference)).isRegularFile();
              }
            });
  }

  @Test
  void shouldGiveExamplesThatAreValid() {
    Map<String, List<String>> invalid = new HashMap<>();
    int examples = 0;
    for (JsonNode message : document.at("/components/messages")) {
      for (JsonNode example : message.path("examples")) {
        examples++;
        List<String> problems =
            JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
                .getSchema(read(EVENTS.resolve(message.at("/payload/$ref").asText())))
                .validate(example.path("payload"))
                .stream()
                .map(problem -> problem.getMessage())
                .toList();
        if (!problems.isEmpty()) {
          invalid.put(example.path("name").asText(), problems);
        }
      }
    }

    assertThat(invalid).isEmpty();
    assertThat(examples).isPositive();
  }

  /** JSON is YAML, too. */
  private static JsonNode read(Path file) {
    try {
      return new YAMLMapper().readTree(Files.readString(file));
    } catch (IOException unreadable) {
      throw new AssertionError(file + " cannot be read", unreadable);
    }
  }
}
