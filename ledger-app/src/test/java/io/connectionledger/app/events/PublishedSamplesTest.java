package io.connectionledger.app.events;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import io.connectionledger.app.e2e.Fleet;
import io.connectionledger.model.UnreadableRecordException;
import io.connectionledger.model.audit.AuditEntry;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.OwnershipHeartbeat;
import io.connectionledger.model.event.RecordCodec;
import io.connectionledger.model.policy.PolicyCodec;
import io.connectionledger.model.view.PoolView;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The rule of docs/events/README.md: records of every released version can be read, mean the same
 * and are valid by the schemas of today.
 */
class PublishedSamplesTest {

  private static final Path EVENTS = Fleet.ROOT.resolve("docs/events");
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * One file, {@code VERSION/TOPIC.TYPE.json} or {@code VERSION/TOPIC.TYPE-VARIANT.json}.
   *
   * @param topic without {@code ledger.}
   */
  record Sample(String version, String topic, String type, Path file) {

    static Sample of(Path file) {
      String[] parts = file.getFileName().toString().split("\\.", -1);
      assertThat(parts).as("the parts of the name of %s", file).hasSize(3);
      return new Sample(
          file.getParent().getFileName().toString(), parts[0], parts[1].split("-", 2)[0], file);
    }

    byte[] bytes() throws IOException {
      return Files.readAllBytes(file);
    }

    @Override
    public String toString() {
      return version + "/" + file.getFileName();
    }
  }

  static List<Sample> samples() throws IOException {
    try (Stream<Path> files = Files.walk(EVENTS.resolve("samples"))) {
      return files.filter(Files::isRegularFile).sorted().map(Sample::of).toList();
    }
  }

  @ParameterizedTest
  @MethodSource("samples")
  void shouldBeValidByTheSchema(Sample sample) throws IOException {
    JsonNode schema = JSON.readTree(EVENTS.resolve(sample.topic() + ".schema.json").toFile());

    assertThat(
            JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
                .getSchema(schema)
                .validate(JSON.readTree(sample.bytes())))
        .isEmpty();
  }

  @ParameterizedTest
  @MethodSource("samples")
  void shouldLoseNothingWhenItIsRead(Sample sample) throws Exception {
    JsonNode written = JSON.readTree(sample.bytes());

    JsonNode read = JSON.readTree(readAndWritten(sample));

    assertThat(lost(written, read, "")).as("of %s, as read: %s", sample, read).isEmpty();
    assertThat(written.path("type").asText(sample.type())).isEqualTo(sample.type());
  }

  @Test
  void shouldHaveASampleOfEveryType() throws IOException {
    Stream<String> expected =
        Stream.of(
                labels("connections", types(ConnectionEvent.class)),
                labels("decisions", types(Decision.class)),
                labels(
                    "owners", Arrays.stream(OwnershipHeartbeat.Kind.values()).map(k -> k.label())),
                labels("pods", Arrays.stream(PoolView.State.values()).map(s -> s.label())),
                labels("audit", Arrays.stream(AuditEntry.Action.values()).map(a -> a.label())),
                labels("policies", Stream.of("policy")),
                labels("endpoints", Stream.of("slice")),
                labels("envoys", Stream.of("presence")))
            .flatMap(labels -> labels);

    assertThat(samples().stream().map(sample -> sample.topic() + "." + sample.type()).distinct())
        .containsExactlyInAnyOrderElementsOf(expected.toList());
  }

  /** The sample as this version would write it; of a topic without a reader, as it is. */
  private static byte[] readAndWritten(Sample sample)
      throws IOException, UnreadableRecordException {
    byte[] json = sample.bytes();
    return switch (sample.topic()) {
      case "connections" -> RecordCodec.encode(RecordCodec.decodeEvent(json));
      case "decisions" -> RecordCodec.encode(RecordCodec.decodeDecision(json));
      case "owners" -> RecordCodec.encode(RecordCodec.decodeBeat(json));
      case "envoys" -> RecordCodec.encode(RecordCodec.decodePresence(json));
      case "policies" -> PolicyCodec.encode(PolicyCodec.decode(json));
      case "endpoints" -> RecordCodec.encode(RecordCodec.decodeEndpoints(json));
      case "audit" -> AuditEntry.decode(json).encode();
      case "pods" -> json;
      default -> throw new AssertionError("no topic ledger." + sample.topic());
    };
  }

  /** What of {@code before} is not in {@code after}, by its path. */
  private static List<String> lost(JsonNode before, JsonNode after, String path) {
    if (before.isObject()) {
      return before.properties().stream()
          .flatMap(
              (Map.Entry<String, JsonNode> field) ->
                  lost(field.getValue(), after.path(field.getKey()), path + "/" + field.getKey())
                      .stream())
          .toList();
    }
    return before.equals(after) ? List.of() : List.of(path + " was " + before);
  }

  private static Stream<String> types(Class<?> sealed) {
    return Arrays.stream(sealed.getPermittedSubclasses())
        .map(type -> type.getSimpleName().toLowerCase(Locale.ROOT));
  }

  private static Stream<String> labels(String topic, Stream<String> types) {
    return types.map(type -> topic + "." + type);
  }
}
