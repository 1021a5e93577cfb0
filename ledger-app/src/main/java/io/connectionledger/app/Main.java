package io.connectionledger.app;

import io.connectionledger.app.audit.AuditCommand;
import io.connectionledger.app.cli.CommandLines;
import io.connectionledger.app.cli.CompletionCommand;
import io.connectionledger.app.cli.ServeCommand;
import io.connectionledger.app.demo.DemoCommand;
import io.connectionledger.app.demo.EmbeddedLedger;
import io.connectionledger.app.envoy.EnvoyCommand;
import io.connectionledger.app.history.ReplayCommand;
import io.connectionledger.app.history.SimulateCommand;
import io.connectionledger.app.policy.DrainCommand;
import io.connectionledger.app.policy.PolicyCommand;
import io.connectionledger.app.query.ExplainCommand;
import io.connectionledger.app.query.Query;
import io.connectionledger.app.query.QueryCommand;
import io.connectionledger.app.query.TopCommand;
import io.connectionledger.app.tail.TailCommand;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
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
    scope = CommandLine.ScopeType.INHERIT)
public final class Main implements Runnable {

  /** System property: where the ledger is installed; the working directory without it. */
  private static final String HOME = "ledger.home";

  private static final int FAILED = 1;

  /** In the order of the help. */
  private static final Map<String, Supplier<CommandLine>> COMMANDS = commands();

  @Spec private CommandSpec spec = CommandSpec.create();

  private Main() {}

  private static Map<String, Supplier<CommandLine>> commands() {
    Map<String, Supplier<CommandLine>> commands = new LinkedHashMap<>();
    commands.put("serve", () -> new CommandLine(new ServeCommand()));
    commands.put("demo", Main::demo);
    commands.put("envoy", EnvoyCommand::commandLine);
    for (Query query : Query.values()) {
      commands.put(query.label(), () -> QueryCommand.commandLine(query));
    }
    commands.put("top", () -> new CommandLine(new TopCommand()));
    commands.put("drain", () -> new CommandLine(new DrainCommand()));
    commands.put("policy", () -> new CommandLine(new PolicyCommand()));
    commands.put("explain", () -> new CommandLine(new ExplainCommand()));
    commands.put("tail", () -> new CommandLine(new TailCommand()));
    commands.put("replay", () -> new CommandLine(new ReplayCommand()));
    commands.put("simulate", () -> new CommandLine(new SimulateCommand()));
    commands.put("audit", () -> new CommandLine(new AuditCommand()));
    commands.put("completion", () -> new CommandLine(new CompletionCommand(Main::all)));
    return Collections.unmodifiableMap(commands);
  }

  private static CommandLine demo() {
    Path home = Path.of(System.getProperty(HOME, ""));
    return new CommandLine(
        new DemoCommand(EmbeddedLedger::start, home.resolve("envoy/envoy.yaml")));
  }

  /** Ends the virtual machine with the command's exit code. */
  public static void main(String[] args) {
    System.exit(execute(args));
  }

  private static int execute(String[] args) {
    try {
      return commandLine(args).execute(args);
    } catch (Error broken) {
      // Others' threads would keep a process alive that does nothing any more.
      LoggerFactory.getLogger(Main.class).atError().setCause(broken).log("The program is broken");
      return FAILED;
    }
  }

  /**
   * The command line for {@code args}: with the command that they begin with alone, since to read
   * what the others take costs more than most of them do.
   */
  public static CommandLine commandLine(String... args) {
    Supplier<CommandLine> named = args.length == 0 ? null : COMMANDS.get(args[0]);
    return named == null
        ? all()
        : CommandLines.of(new CommandLine(new Main()).addSubcommand(args[0], named.get()));
  }

  /** The whole command line. */
  private static CommandLine all() {
    CommandLine all = new CommandLine(new Main());
    COMMANDS.forEach((name, command) -> all.addSubcommand(name, command.get()));
    return CommandLines.of(all);
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
