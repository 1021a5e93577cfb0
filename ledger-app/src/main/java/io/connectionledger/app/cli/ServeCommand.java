package io.connectionledger.app.cli;

import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.serve.LedgerNode;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Runs an instance until it is told to stop. */
@Command(name = "serve", description = "Runs an instance until SIGTERM or Ctrl-C.")
public final class ServeCommand implements Callable<Integer> {

  @Option(
      names = "--config",
      required = true,
      paramLabel = "FILE",
      description = "The configuration (YAML); LEDGER_<KEY> in the environment overrides it.")
  private @Nullable Path config;

  @Option(
      names = "--roles",
      paramLabel = "ROLES",
      description =
          "Any of kafka, ingest, admission, control-plane, separated by commas; all by default.")
  private @Nullable String roles;

  @Override
  public Integer call() throws Exception {
    LedgerConfig loaded = ConfigLoader.load(Objects.requireNonNull(config), System.getenv());
    Set<Role> resolved = Role.resolve(Optional.ofNullable(roles), loaded.kafka());
    return UntilStopped.run(() -> LedgerNode.start(loaded, resolved));
  }
}
