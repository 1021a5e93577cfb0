package io.connectionledger.app.cli;

import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.config.StartupException;
import io.connectionledger.app.serve.LedgerNode;
import java.nio.file.Path;
import java.time.Duration;
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

  @Option(
      names = "--until-ready",
      description = "Ends with 0 as soon as the instance is ready: tries a configuration out.")
  private boolean untilReady;

  @Override
  public Integer call() throws Exception {
    LedgerConfig loaded = ConfigLoader.load(Objects.requireNonNull(config), System.getenv());
    Set<Role> resolved = Role.resolve(Optional.ofNullable(roles), loaded.kafka());
    if (untilReady) {
      return UntilStopped.run(() -> startReady(loaded, resolved), Optional.of(Duration.ZERO));
    }
    return UntilStopped.run(() -> LedgerNode.start(loaded, resolved));
  }

  private static LedgerNode startReady(LedgerConfig config, Set<Role> roles)
      throws InterruptedException {
    LedgerNode instance = LedgerNode.start(config, roles);
    try {
      instance.awaitReady();
      return instance;
    } catch (InterruptedException | StartupException failed) {
      instance.close();
      throw failed;
    }
  }
}
