package io.connectionledger.app.demo;

import io.connectionledger.app.browser.Chromium;
import io.connectionledger.app.envoy.EnvoyBinary;
import io.connectionledger.app.envoy.EnvoyUnavailableException;
import io.connectionledger.app.terminal.Screen;
import io.connectionledger.app.terminal.StopSignal;
import io.connectionledger.app.terminal.Terminal;
import io.connectionledger.model.Ticker;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
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
  private static final int MOST_PODS = 50;
  private static final Duration RECORDED = Duration.ofMinutes(1);
  private static final Duration FOREVER = Duration.ofDays(10_000);

  private final LedgerStarter starter;
  private final Path bootstrap;

  @Spec private CommandSpec spec;

  @Option(
      names = "--seconds",
      paramLabel = "N",
      description = "Stop after N seconds; without it, at Ctrl-C.")
  private @Nullable Integer seconds;

  @Option(
      names = "--pods",
      paramLabel = "N",
      defaultValue = "3",
      description = "How many pods, 3 unless said; clients come in proportion.")
  private int pods;

  @Option(names = "--open", description = "Open the page in a browser.")
  private boolean open;

  @Option(
      names = "--record",
      paramLabel = "DIR",
      description =
          "Write pictures of the page into DIR, with the Chromium on the PATH, after a minute or"
              + " --seconds; then stop.")
  private @Nullable Path record;

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
    if (pods < 1 || pods > MOST_PODS) {
      throw new ParameterException(
          spec.commandLine(), "--pods is " + pods + ": allowed is 1 to " + MOST_PODS);
    }
    Path chromium = null;
    if (record != null) {
      chromium = Chromium.find().orElse(null);
      if (chromium == null) {
        spec.commandLine().getErr().println("--record needs chromium or google-chrome on the PATH");
        return FAILED;
      }
    }
    StopSignal stop = StopSignal.install();
    int code = FAILED;
    try {
      code = run(stop, chromium);
    } finally {
      stop.finish(code);
    }
    return code;
  }

  private Duration length() {
    if (seconds != null) {
      return Duration.ofSeconds(seconds);
    }
    return record == null ? FOREVER : RECORDED;
  }

  private static boolean openInBrowser(URI page) {
    for (String program : List.of("xdg-open", "open")) {
      try {
        new ProcessBuilder(program, page.toString())
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
        return true;
      } catch (IOException notThere) {
        LOGGER.atDebug().setCause(notThere).log("A program that opens pages is not there");
      }
    }
    return false;
  }

  private int run(StopSignal stop, @Nullable Path chromium) throws InterruptedException {
    Screen screen = new Screen(spec.commandLine().getOut(), Terminal::ofStandardOutput);
    long chosenSeed = seed == null ? ThreadLocalRandom.current().nextInt(1_000_000) : seed;
    try {
      Path envoy = EnvoyBinary.system().locate();
      screen.say("Starting pods, Kafka, the ledger and Envoys (seed " + chosenSeed + ")");
      Summary summary;
      try (Demo demo =
          Demo.start(starter, envoy, bootstrap, pods, screen, chosenSeed, Ticker.system())) {
        screen.say("See it: " + demo.page());
        if (open && !openInBrowser(demo.page())) {
          screen.say("Neither xdg-open nor open is there to open it with");
        }
        demo.run(stop, length());
        if (record != null && chromium != null) {
          screen.say("Writing pictures into " + record);
          new Recorder(record, demo.page(), Demo.POOL).record(chromium);
        }
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
