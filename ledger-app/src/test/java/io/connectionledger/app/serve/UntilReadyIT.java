package io.connectionledger.app.serve;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.app.Main;
import io.connectionledger.app.cli.CommandRuns;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code serve --until-ready}, with which images make their start cache. */
final class UntilReadyIT {

  @Test
  void shouldEndWith0OnceItIsReady(@TempDir Path folder) throws Exception {
    Path config =
        Files.writeString(
            folder.resolve("ledger.yaml"),
            """
            data-dir: '%s'
            kafka: { port: 0 }
            als: { port: 0 }
            authz: { port: 0 }
            http: { port: 0 }
            xds: { port: 0 }
            pools: { chat: { per-pod-max-connections: 1, pods: [{ name: pod-1, address: '127.0.0.1:1' }] } }
            """
                .formatted(folder.resolve("data")));
    String[] line = {"serve", "--until-ready", "--config", config.toString()};
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();

    int exitCode = CommandRuns.execute(Main.commandLine(line), out, err, line);

    assertThat(exitCode).as(err.toString()).isZero();
    // The stores of a ledger that was ready, closed in order.
    assertThat(folder.resolve("data/streams")).isDirectoryRecursivelyContaining("glob:**.sst");
  }
}
