package io.connectionledger.app.demo;

import io.connectionledger.app.envoy.EnvoyBinary;
import io.connectionledger.app.envoy.EnvoyUnavailableException;
import io.connectionledger.app.terminal.Screen;
import io.connectionledger.app.terminal.StopSignal;
import io.connectionledger.app.terminal.Terminal;
import io.connectionledger.model.Ticker;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code ledger demo}: the whole product at work on one machine, and proof of its counts. */
@Command(
    name = "demo",
    description =
        "Shows the ledger at work: real pods, real Envoys and clients that want more than the"
            + " limits allow. Exit code 1 when a count differs or a limit was passed.")
public final class DemoCommand implements Callable<Integer> {

  private static final Logger LOGGER = LoggerFactory.getLogger(DemoCommand.class);
  private static final int FAILED = 1;
  private static final Duration FOREVER = Duration.ofDays(10_000);

  private final LedgerStarter starter;
  private final Path bootstrap;

  @Spec private CommandSpec spec;

  @Option(
      names = "--seconds",
      paramLabel = "N",
      description = "Stop after N seconds; without it, at Ctrl-C.")
  private @Nullable Integer seconds;

  @Option(names = "--seed", hidden = true, description = "Of the clients' behaviour.")
  private @Nullable Long seed;

  /**
   * The command.
   *
   * @param starter starts the ledger that the demo shows
   * @param bootstrap {@code envoy/envoy.yaml}
   */
  @SuppressWarnings("NullAway.Init") // picocli sets spec
  public DemoCommand(LedgerStarter starter, Path bootstrap) {
    this.starter = starter;
    this.bootstrap = bootstrap;
  }

  @Override
  public Integer call() throws InterruptedException {
    if (seconds != null && seconds < 1) {
      throw new ParameterException(
          spec.commandLine(), "--seconds is " + seconds + ": allowed is 1 or more");
    }
    StopSignal stop = StopSignal.install();
    int code = FAILED;
    try {
      code = run(stop);
    } finally {
      stop.finish(code);
    }
    return code;
  }

  private int run(StopSignal stop) throws InterruptedException {
    Screen screen = new Screen(spec.commandLine().getOut(), Terminal::ofStandardOutput);
    long chosenSeed = seed == null ? ThreadLocalRandom.current().nextInt(1_000_000) : seed;
    try {
      Path envoy = EnvoyBinary.system().locate();
      screen.say("Starting pods, Kafka, the ledger and Envoys (seed " + chosenSeed + ")");
      Summary summary;
      try (Demo demo = Demo.start(starter, envoy, bootstrap, screen, chosenSeed, Ticker.system())) {
        demo.run(stop, seconds == null ? FOREVER : Duration.ofSeconds(seconds));
        screen.say("Nobody comes or leaves now: comparing the pods' own counts with the ledger's");
        summary = demo.conclude();
      }
      summary.lines().forEach(screen::say);
      return summary.passed() ? 0 : FAILED;
    } catch (EnvoyUnavailableException e) {
      spec.commandLine().getErr().println(e.getMessage());
      return FAILED;
    } catch (InterruptedException e) {
      throw e;
    } catch (Exception e) {
      LOGGER.atError().setCause(e).log("The demo failed");
      spec.commandLine().getErr().println("The demo failed: " + e.getMessage());
      return FAILED;
    }
  }
}
