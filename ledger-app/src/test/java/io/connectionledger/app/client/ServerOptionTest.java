package io.connectionledger.app.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.connectionledger.app.cli.FailedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ServerOptionTest {

  @TempDir Path directory;

  @Test
  void shouldTakeTheFileBeforeTheEnvironmentAndNeitherWhereNoneIs() throws Exception {
    Path file = Files.writeString(directory.resolve("token"), " of-the-file\n");

    assertThat(ServerOption.token(file, Map.of("LEDGER_TOKEN", "of-the-environment")))
        .isEqualTo("of-the-file");
    assertThat(ServerOption.token(null, Map.of("LEDGER_TOKEN", "of-the-environment")))
        .isEqualTo("of-the-environment");
    assertThat(ServerOption.token(null, Map.of())).isNull();
  }

  @Test
  void shouldRefuseWhatIsNoTokenWithoutRepeatingIt() throws Exception {
    Path two = Files.writeString(directory.resolve("two"), "one secret\nsecret\n");
    Path empty = Files.writeString(directory.resolve("empty"), "\n");

    assertThatThrownBy(() -> ServerOption.token(two, Map.of()))
        .isInstanceOf(FailedException.class)
        .hasMessage("--token-file " + two + " has no token: allowed is one alone");
    assertThatThrownBy(() -> ServerOption.token(empty, Map.of()))
        .hasMessageContaining("has no token");
    assertThatThrownBy(() -> ServerOption.token(null, Map.of("LEDGER_TOKEN", "a b")))
        .hasMessage("LEDGER_TOKEN has no token: allowed is one alone");
  }
}
