package io.connectionledger.app;

import io.connectionledger.app.cli.CommandLines;
import io.connectionledger.app.cli.ServeCommand;
import io.connectionledger.app.envoy.EnvoyCommand;
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
    subcommands = {ServeCommand.class, EnvoyCommand.class})
public final class Main implements Runnable {

  @Spec private CommandSpec spec = CommandSpec.create();

  private Main() {}

  /** Ends the virtual machine with the command's exit code. */
  public static void main(String[] args) {
    System.exit(commandLine().execute(args));
  }

  /** The whole command line. */
  static CommandLine commandLine() {
    return CommandLines.of(new CommandLine(new Main()));
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
