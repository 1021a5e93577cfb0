package io.connectionledger.app.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.connectionledger.app.config.LedgerConfig.Kafka;
import io.connectionledger.app.config.LedgerConfig.Listener;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class RoleTest {

  private static final Kafka EMBEDDED = kafka("");
  private static final Kafka EXTERNAL = kafka("broker:9092");

  private static Kafka kafka(String servers) {
    return new Kafka(
        servers, new Listener("127.0.0.1", 0), 1, (short) 1, Kafka.RETENTION_BYTES, Map.of());
  }

  @Test
  void shouldTakeAllThatTheConfigurationLeaves() {
    assertThat(Role.resolve(Optional.empty(), EMBEDDED)).containsExactly(Role.values());
    assertThat(Role.resolve(Optional.empty(), EXTERNAL))
        .containsExactly(Role.INGEST, Role.ADMISSION, Role.CONTROL_PLANE);
  }

  @Test
  void shouldTakeThoseThatAreNamed() {
    assertThat(Role.resolve(Optional.of("control-plane, ingest"), EXTERNAL))
        .containsExactly(Role.INGEST, Role.CONTROL_PLANE);
    assertThat(Role.resolve(Optional.of("kafka"), EMBEDDED)).containsExactly(Role.KAFKA);
  }

  @Test
  void shouldRefuseWhatIsNoRole() {
    assertThatThrownBy(() -> Role.resolve(Optional.of("ingest,"), EXTERNAL))
        .isInstanceOf(ConfigException.class)
        .hasMessage(
            "--roles is 'ingest,': allowed is any of kafka, ingest, admission, control-plane,"
                + " separated by commas");
  }

  @Test
  void shouldRefuseABrokerTooManyOrTooFew() {
    assertThatThrownBy(() -> Role.resolve(Optional.of("kafka"), EXTERNAL))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("kafka.bootstrap-servers is 'broker:9092'");
    assertThatThrownBy(() -> Role.resolve(Optional.of("ingest"), EMBEDDED))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("kafka.bootstrap-servers is ''");
  }
}
