package io.connectionledger.admission.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion.VersionFlag;
import com.networknt.schema.ValidationMessage;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The OpenAPI description as a test's judge: says whether an answer is documented and has the
 * documented form, and remembers what was seen. Stricter than the description in that it allows no
 * field that is not in it.
 */
final class ApiDescription {

  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final JsonSchemaFactory SCHEMAS =
      JsonSchemaFactory.getInstance(VersionFlag.V202012);

  private final JsonNode document;
  private final Set<String> seen = new TreeSet<>();

  ApiDescription(String json) throws IOException {
    document = MAPPER.readTree(json);
    close(document.path("components"));
  }

  private static void close(JsonNode node) {
    if (node instanceof ObjectNode schema
        && schema.path("type").asText().equals("object")
        && schema.has("properties")) {
      schema.put("additionalProperties", false);
    }
    node.forEach(ApiDescription::close);
  }

  /** Every documented response, as {@code GET /path 200 application/json}. */
  Set<String> documented() {
    Set<String> all = new TreeSet<>();
    document
        .path("paths")
        .properties()
        .forEach(
            path ->
                path.getValue().properties().stream()
                    .filter(operation -> operation.getValue().has("responses"))
                    .forEach(
                        operation ->
                            operation
                                .getValue()
                                .path("responses")
                                .properties()
                                .forEach(
                                    response ->
                                        all.add(
                                            key(
                                                operation.getKey(),
                                                path.getKey(),
                                                response.getKey())))));
    return all;
  }

  /** Every operation that needs a token, as {@code GET /path}. */
  Set<String> secured() {
    Set<String> all = new TreeSet<>();
    for (Map.Entry<String, JsonNode> path : document.path("paths").properties()) {
      for (Map.Entry<String, JsonNode> operation : path.getValue().properties()) {
        if (!operation.getValue().path("security").isEmpty()) {
          all.add(operation.getKey().toUpperCase(Locale.ROOT) + " " + path.getKey());
        }
      }
    }
    return all;
  }

  Set<String> seen() {
    return seen;
  }

  /**
   * Holds an answer to what is documented.
   *
   * @param path as documented
   */
  void judge(String method, String path, HttpResponse<String> answer) throws IOException {
    String key = key(method, path, Integer.toString(answer.statusCode()));
    assertThat(documented()).contains(key);
    JsonNode contents = response(method, path, answer.statusCode()).path("content");
    String type = answer.headers().firstValue("content-type").orElse("").replaceFirst(";.*", "");
    if (contents.isMissingNode()) {
      assertThat(answer.body()).isEmpty();
    } else {
      assertThat(contents.has(type)).describedAs("%s: %s", key, type).isTrue();
      if (type.endsWith("json")) {
        assertValid(key, contents.path(type).path("schema"), MAPPER.readTree(answer.body()));
      }
    }
    seen.add(key);
  }

  /** The schemas of the events of a stream, by type. */
  JsonNode events(String path) {
    return response("get", path, 200).path("content").path("text/event-stream").path("x-events");
  }

  void seen(String method, String path, int status) {
    String key = key(method, path, Integer.toString(status));
    assertThat(documented()).contains(key);
    seen.add(key);
  }

  void assertValid(String what, JsonNode schema, JsonNode value) {
    ObjectNode complete = schema.deepCopy();
    complete.set("components", document.path("components"));
    Set<ValidationMessage> wrong = SCHEMAS.getSchema(complete).validate(value);
    assertThat(wrong).describedAs("%s: %s", what, value).isEmpty();
  }

  private JsonNode response(String method, String path, int status) {
    return document
        .path("paths")
        .path(path)
        .path(method.toLowerCase(Locale.ROOT))
        .path("responses")
        .path(Integer.toString(status));
  }

  private static String key(String method, String path, String status) {
    return method.toUpperCase(Locale.ROOT) + " " + path + " " + status;
  }
}
