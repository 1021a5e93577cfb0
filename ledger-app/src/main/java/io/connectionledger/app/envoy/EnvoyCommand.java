package io.connectionledger.app.envoy;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code ledger envoy}: runs the pinned Envoy, or says where it is. */
@Command(
    name = "envoy",
    description = "Runs the pinned Envoy with the given arguments; fetches it the first time.")
public final class EnvoyCommand implements Callable<Integer> {

  private static final int FAILED = 1;

  @Spec private CommandSpec spec;

  @Option(names = "--print-path", description = "Only print where Envoy is.")
  private boolean printPath;

  @Parameters(paramLabel = "ARGUMENT", description = "What Envoy gets, for example -c FILE.")
  private List<String> arguments = new ArrayList<>();

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  public EnvoyCommand() {}

  /** This command under its name. Options that it does not know are Envoy's. */
  public static picocli.CommandLine commandLine() {
    return new picocli.CommandLine(new EnvoyCommand()).setUnmatchedOptionsArePositionalParams(true);
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    Path envoy;
    try {
      envoy = EnvoyBinary.system().locate();
    } catch (EnvoyUnavailableException e) {
      spec.commandLine().getErr().println(e.getMessage());
      return FAILED;
    }
    if (printPath) {
      PrintWriter out = spec.commandLine().getOut();
      out.println(envoy);
      out.flush();
      return 0;
    }
    return run(envoy);
  }

  private int run(Path envoy) throws IOException, InterruptedException {
    List<String> line = new ArrayList<>();
    line.add(envoy.toString());
    line.addAll(arguments);
    Process process = new ProcessBuilder(line).inheritIO().start();
    Thread stop = new Thread(() -> stop(process), "stop-envoy");
    Runtime.getRuntime().addShutdownHook(stop);
    return process.waitFor();
  }

  /** A signal to this process ends Envoy first, so that nothing of it is left behind. */
  private static void stop(Process process) {
    process.destroy();
    process.onExit().join();
  }
}
