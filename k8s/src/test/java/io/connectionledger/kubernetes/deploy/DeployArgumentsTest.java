package io.connectionledger.kubernetes.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What deploy.sh says to whoever cannot use it as called. */
final class DeployArgumentsTest {

  private static Command deploy(Map<String, String> environment, String arguments)
      throws Exception {
    List<String> line = new ArrayList<>(List.of("/bin/bash", Command.DEPLOY.toString()));
    line.addAll(List.of(arguments.split(" ", -1)));
    return Command.run(environment, line);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          plan              | 'plan' is no command: allowed are apply, status, logs and destroy
          --yes             | no command: allowed are apply, status, logs and destroy
          apply gke         | 'gke' is no overlay: allowed are local and eks
          apply local now   | 'now' is one argument too many
          apply --timeout   | --timeout needs a value
          apply --timeout 0 | --timeout is '0': allowed are whole seconds from 1
          """)
  void shouldRefuseWhatItDoesNotKnow(String arguments, String message) throws Exception {
    Command refused = deploy(Map.of(), arguments);

    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.output()).startsWith("deploy: " + message).hasLineCount(1);
  }

  @Test
  void shouldSayThatKubectlIsMissing(@TempDir Path nothing) throws Exception {
    Command refused = deploy(Map.of("PATH", nothing.toString()), "status");

    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.output()).startsWith("deploy: kubectl is not on the PATH").hasLineCount(1);
  }

  @Test
  void shouldSayThatThereIsNoContext(@TempDir Path folder) throws Exception {
    Path empty = Files.createFile(folder.resolve("kubeconfig"));
    Map<String, String> environment =
        Map.of(
            "KUBECONFIG",
            empty.toString(),
            "DEPLOY_OVERLAY",
            Path.of("src/test/resources/overlay").toAbsolutePath().toString());

    Command refused = deploy(environment, "status");

    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.output()).startsWith("deploy: kubectl has no current context");
    assertThat(refused.output()).hasLineCount(1);
  }
}
