package io.connectionledger.app;

import io.connectionledger.app.cli.CommandLines;
import io.connectionledger.app.cli.ServeCommand;
import io.connectionledger.app.demo.DemoCommand;
import io.connectionledger.app.demo.EmbeddedLedger;
import io.connectionledger.app.envoy.EnvoyCommand;
import io.connectionledger.app.history.ReplayCommand;
import io.connectionledger.app.history.SimulateCommand;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The program {@code ledger}. */
@Command(
    name = "ledger",
    description = "Knows which WebSockets are open on which pod, and says where the next may go.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    scope = CommandLine.ScopeType.INHERIT,
    subcommands = {ServeCommand.class, ReplayCommand.class, SimulateCommand.class})
public final class Main implements Runnable {

  /** System property: where the ledger is installed; the working directory without it. */
  private static final String HOME = "ledger.home";

  private static final Logger LOGGER = LoggerFactory.getLogger(Main.class);
  private static final int FAILED = 1;

  @Spec private CommandSpec spec = CommandSpec.create();

  private Main() {}

  /** Ends the virtual machine with the command's exit code. */
  public static void main(String[] args) {
    System.exit(execute(args));
  }

  private static int execute(String[] args) {
    try {
      return commandLine().execute(args);
    } catch (Error broken) {
      // Others' threads would keep a process alive that does nothing any more.
      LOGGER.atError().setCause(broken).log("The program is broken");
      return FAILED;
    }
  }

  /** The whole command line. */
  static CommandLine commandLine() {
    Path home = Path.of(System.getProperty(HOME, ""));
    return CommandLines.of(
        new CommandLine(new Main())
            .addSubcommand(EnvoyCommand.commandLine())
            .addSubcommand(
                new DemoCommand(EmbeddedLedger::start, home.resolve("envoy/envoy.yaml"))));
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "name a command");
  }

  /** The version of the build. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"ledger " + (version == null ? "(not packaged)" : version)};
    }
  }
}
