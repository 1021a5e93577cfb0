package io.connectionledger.app.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.policy.PoolPolicy.Mode;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

final class EnvironmentTest {

  static final List<String> settings = Keys.SETTINGS;

  private static final String FILE =
      """
      kafka: { port: 1, properties: { a: b } }
      pools:
        Chat.v1: { per-pod-max-connections: 1, mode: enforce }
      """;

  private static LedgerConfig read(String yaml, Map<String, String> environment) {
    return ConfigLoader.parse(yaml, "ledger.yaml", environment);
  }

  private static PoolPolicy pool(LedgerConfig config, String name) {
    return Objects.requireNonNull(config.pools().get(name));
  }

  @Test
  void shouldPreferTheEnvironmentToTheFileAndTheFileToTheDefault() {
    LedgerConfig config =
        read("kafka: { port: 1, partitions: 2 }", Map.of("LEDGER_KAFKA_PORT", "3"));

    assertThat(config.kafka().listener().port()).isEqualTo(3);
    assertThat(config.kafka().partitions()).isEqualTo(2);
    assertThat(config.als().port()).isEqualTo(9001);
  }

  @ParameterizedTest
  @FieldSource("settings")
  void shouldKnowAVariableForEverySetting(String key) {
    // When a value that no setting takes is set
    Map<String, String> environment = Map.of(Keys.variable(key), "\u0001");

    assertThatThrownBy(() -> read("", environment))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(Keys.variable(key));
  }

  @Test
  void shouldReadMappingsAndListsAsInlineYaml() {
    LedgerConfig config =
        read(
            FILE,
            Map.of(
                "LEDGER_KAFKA_PROPERTIES",
                "{ c: d, e: 1 }",
                "LEDGER_POOLS_CHAT_V1_PODS",
                "[ { name: p, address: '10.0.0.1:80' } ]"));

    assertThat(config.kafka().properties()).isEqualTo(Map.of("c", "d", "e", "1"));
    assertThat(pool(config, "Chat.v1").pods())
        .containsExactly(new Pod("p", PodAddress.parse("10.0.0.1:80")));
  }

  @Test
  void shouldOverrideThePoolOfTheFileWhateverItsSpelling() {
    LedgerConfig config = read(FILE, Map.of("LEDGER_POOLS_CHAT_V1_MODE", "shadow"));

    assertThat(config.pools()).containsOnlyKeys("Chat.v1");
    assertThat(pool(config, "Chat.v1").mode()).isEqualTo(Mode.SHADOW);
  }

  @Test
  void shouldAddAPoolThatTheFileDoesNotHave() {
    LedgerConfig config =
        read(
            FILE,
            Map.of(
                "LEDGER_POOLS_TWO_WORDS_PER_POD_MAX_CONNECTIONS",
                "9",
                "LEDGER_POOLS_TWO_WORDS_BURST_CAPACITY",
                "4"));

    assertThat(config.pools()).containsOnlyKeys("Chat.v1", "two-words");
    assertThat(pool(config, "two-words").perPodMaxConnections()).isEqualTo(9);
    assertThat(pool(config, "two-words").burstCapacity()).isEqualTo(4);
  }

  @Test
  void shouldRefuseAVariableThatFitsTwoPools() {
    String yaml =
        "pools: { a-b: { per-pod-max-connections: 1 }, a.b: { per-pod-max-connections: 1 } }";

    assertThatThrownBy(() -> read(yaml, Map.of("LEDGER_POOLS_A_B_MODE", "shadow")))
        .isInstanceOf(ConfigException.class)
        .hasMessage("LEDGER_POOLS_A_B_MODE fits the pools a-b, a.b: allowed is one");
  }

  @Test
  void shouldNameTheVariableThatIsWrong() {
    assertThatThrownBy(() -> read("", Map.of("LEDGER_AUTHZ_DURABILITY", "maybe")))
        .isInstanceOf(ConfigException.class)
        .hasMessage(
            "authz.durability is 'maybe' (LEDGER_AUTHZ_DURABILITY): allowed is fast or"
                + " acknowledged");
    assertThatThrownBy(() -> read("", Map.of("LEDGER_KAFKA_PROPERTIES", "{")))
        .isInstanceOf(ConfigException.class)
        .hasMessageStartingWith("LEDGER_KAFKA_PROPERTIES line 1 is not YAML");
    assertThatThrownBy(() -> read("", Map.of("LEDGER_POOLS_X_MODE", "shadow")))
        .isInstanceOf(ConfigException.class)
        .hasMessage(
            "pools.x.per-pod-max-connections is missing (LEDGER_POOLS_X_MODE): allowed is 1 to"
                + " 10000000");
  }

  @Test
  void shouldIgnoreVariablesThatAreNoSettings() {
    LedgerConfig config =
        read(
            FILE,
            Map.of(
                "LEDGER_JAVA_OPTS", "-Xmx1g",
                "LEDGER_SERVICE_HOST", "10.0.0.1",
                "LEDGER_POOLS_MODE", "shadow",
                "LEDGER_HTTP_PORT", "tcp://10.0.0.1:8090",
                "HOME", "/"));

    assertThat(config).isEqualTo(read(FILE, Map.of()));
  }
}
