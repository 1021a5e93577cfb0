package io.connectionledger.app.envoy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class EnvoyBootstrapTest {

  private static final String CLUSTERS = "/static_resources/clusters";

  private JsonNode file;

  @BeforeEach
  void readFile() throws IOException {
    file = new YAMLMapper().readTree(Path.of("..", "envoy", "envoy.yaml").toFile());
  }

  @Test
  void shouldHaveTheContractsPortsInTheFile() {
    assertThat(listenerPort(file)).isEqualTo(10_000);
    assertThat(file.at("/admin/address/socket_address/port_value").asInt()).isEqualTo(9901);
    assertThat(ports(file, "als")).containsExactly(9001);
    assertThat(ports(file, "authz")).containsExactly(9002);
    assertThat(ports(file, "xds")).containsExactly(18_000);
  }

  @Test
  void shouldFitTheFileToOneEnvoy() {
    // Given
    EnvoyOptions options =
        EnvoyOptions.of("envoy-7", 1, 2, 3)
            .withPool("games")
            .withListenerPort(7000)
            .withServices(List.of(11), List.of(12, 13), List.of(14))
            .withHeartbeat(Duration.ofMillis(1500))
            .withCheckTimeout(Duration.ofSeconds(3));

    // When
    JsonNode rendered = EnvoyBootstrap.render(file, options);

    // Then
    assertThat(rendered.at("/node/id").asText()).isEqualTo("envoy-7");
    assertThat(listenerPort(rendered)).isEqualTo(7000);
    assertThat(ports(rendered, "als")).containsExactly(11);
    assertThat(ports(rendered, "authz")).containsExactly(12, 13);
    assertThat(ports(rendered, "xds")).containsExactly(14);
    assertThat(rendered.toString())
        .contains("\"access_log_flush_interval\":\"1.5s\"")
        .contains("\"cluster_name\":\"authz\"},\"timeout\":\"3.0s\"")
        .contains("\"max_interval\":\"2.4s\"")
        .contains("{\"pool\":\"games\"}")
        .doesNotContain("\"chat\"");
  }

  @Test
  void shouldLeaveTheFileAloneOtherwise() {
    // Given: the file's own values
    EnvoyOptions own =
        new EnvoyOptions(
            "envoy-1",
            "chat",
            10_000,
            9901,
            List.of(9001),
            List.of(9002),
            List.of(18_000),
            Duration.ofSeconds(10),
            Duration.ofSeconds(1),
            2);

    // When
    JsonNode rendered = EnvoyBootstrap.render(file, own);

    // Then
    assertThat(rendered.toString().replace("10.0s", "10s").replace("1.0s", "1s"))
        .isEqualTo(file.toString());
  }

  @Test
  void shouldSayWhatAForeignFileLacks() {
    assertThatThrownBy(
            () ->
                EnvoyBootstrap.render(
                    JsonNodeFactory.instance.objectNode(), EnvoyOptions.of("envoy", 1, 2, 3)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the Envoy bootstrap has no /node");
  }

  private static int listenerPort(JsonNode bootstrap) {
    return bootstrap.at("/static_resources/listeners/0/address/socket_address/port_value").asInt();
  }

  private static List<Integer> ports(JsonNode bootstrap, String cluster) {
    JsonNode endpoints =
        StreamSupport.stream(bootstrap.at(CLUSTERS).spliterator(), false)
            .filter(each -> each.path("name").asText().equals(cluster))
            .findFirst()
            .orElseThrow()
            .at("/load_assignment/endpoints/0/lb_endpoints");
    return IntStream.range(0, endpoints.size())
        .map(i -> endpoints.get(i).at("/endpoint/address/socket_address/port_value").asInt())
        .boxed()
        .toList();
  }
}
