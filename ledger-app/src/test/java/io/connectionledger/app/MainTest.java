package io.connectionledger.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.app.cli.CommandRuns;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

final class MainTest {

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int execute(String... args) {
    return CommandRuns.execute(Main.commandLine(), out, err, args);
  }

  @Test
  void shouldHelp() {
    assertThat(execute("--help")).isZero();
    assertThat(execute("serve", "--help")).isZero();
    assertThat(execute("--version")).isZero();

    assertThat(out.toString()).contains("serve", "--roles", "ledger ");
    assertThat(err.toString()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'' | ledger: name a command; see ledger --help",
        "serv | ledger: Unmatched argument at index 0: 'serv'; see ledger --help",
        "--what | ledger: Unknown option: '--what'; see ledger --help",
        "serve | ledger: Missing required option: '--config=FILE'; see ledger serve --help",
        "serve --config | ledger: Missing required parameter for option '--config' (FILE); see"
            + " ledger serve --help",
        "serve --config no.yaml | ledger: the configuration no.yaml does not exist",
      })
  void shouldEndWith2AndOneLineForWrongUsage(String args, String line) {
    assertThat(execute(args.isEmpty() ? new String[0] : args.split(" "))).isEqualTo(2);

    assertThat(err.toString()).isEqualTo(line + System.lineSeparator());
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void shouldGiveEnvoyTheOptionsThatItDoesNotKnow() {
    CommandLine.ParseResult parsed =
        Main.commandLine().parseArgs("envoy", "-c", "envoy.yaml", "--service-node", "envoy-1");

    assertThat(parsed.subcommand().matchedPositionalValue(0, List.of()))
        .containsExactly("-c", "envoy.yaml", "--service-node", "envoy-1");
  }

  @Test
  void shouldEndWith2AndOneLineForAWrongConfiguration(@TempDir Path temp) throws IOException {
    Path file = Files.writeString(temp.resolve("c.yaml"), "als: { port: \"a\\nb\" }");

    assertThat(execute("serve", "--config", file.toString())).isEqualTo(2);

    assertThat(err.toString())
        .isEqualTo(
            "ledger: als.port is 'a b' ("
                + file
                + " line 1): allowed is 0 to 65535"
                + System.lineSeparator());
  }

  @Test
  void shouldEndWith2ForRolesThatContradictTheConfiguration(@TempDir Path temp) throws IOException {
    Path file = Files.writeString(temp.resolve("c.yaml"), "");

    assertThat(execute("serve", "--config", file.toString(), "--roles", "ingest")).isEqualTo(2);

    assertThat(err.toString()).contains("kafka.bootstrap-servers is ''").hasLineCount(1);
  }
}
