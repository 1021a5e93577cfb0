package io.connectionledger.app.serve;

import io.connectionledger.app.config.ConfigException;
import io.connectionledger.app.config.PolicyFile;
import io.connectionledger.model.policy.PoolPolicy;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the policy file again and again, because a mounted ConfigMap is replaced by swapping a
 * symbolic link somewhere above the file, which no watch on the file itself sees. What it says is
 * taken when two readings in a row agree: an editor may be in the middle of writing. What cannot be
 * used is logged and counted once, and changes nothing.
 */
final class PolicyWatch implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(PolicyWatch.class);
  private static final Duration INTERVAL = Duration.ofMillis(200);

  private final Path file;
  private final Consumer<Map<String, PoolPolicy>> follower;
  private final Counter refused;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread = new Thread(this::run, "policy-file");
  private Reading seen;
  private Reading judged;

  /** The text, or why there is none. */
  private record Reading(@Nullable String text, @Nullable String failure) {

    static Reading of(Path file) {
      try {
        return new Reading(PolicyFile.text(file), null);
      } catch (ConfigException unreadable) {
        return new Reading(null, unreadable.getMessage());
      }
    }
  }

  private PolicyWatch(
      Path file, String text, Consumer<Map<String, PoolPolicy>> follower, MeterRegistry registry) {
    this.file = file;
    this.follower = follower;
    this.seen = new Reading(text, null);
    this.judged = seen;
    this.refused =
        Counter.builder("ledger.policy.file.refused")
            .description("Contents of the policy file that could not be used")
            .register(registry);
    thread.setDaemon(true);
  }

  /**
   * Starts watching.
   *
   * @param text what the file said when it was read last
   * @param follower takes the pools after each change of the file, on a thread of this class
   */
  static PolicyWatch start(
      Path file, String text, Consumer<Map<String, PoolPolicy>> follower, MeterRegistry registry) {
    PolicyWatch watch = new PolicyWatch(file, text, follower, registry);
    watch.thread.start();
    return watch;
  }

  private void run() {
    try {
      while (!closed.await(INTERVAL.toMillis(), TimeUnit.MILLISECONDS)) {
        Reading now = Reading.of(file);
        boolean settled = now.equals(seen);
        seen = now;
        if (settled && !now.equals(judged)) {
          judged = now;
          judge(now);
        }
      }
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
    }
  }

  private void judge(Reading reading) {
    if (reading.text == null) {
      refuse(String.valueOf(reading.failure));
      return;
    }
    try {
      Map<String, PoolPolicy> pools = PolicyFile.parse(reading.text, file.toString());
      LOGGER.atInfo().addKeyValue("file", file).log("Policy file changed");
      follower.accept(pools);
    } catch (ConfigException wrong) {
      refuse(String.valueOf(wrong.getMessage()));
    }
  }

  private void refuse(String reason) {
    refused.increment();
    LOGGER
        .atWarn()
        .addKeyValue("file", file)
        .addKeyValue("reason", reason)
        .log("The policy file cannot be used, the policies stay as they are");
  }

  @Override
  public void close() throws InterruptedException {
    closed.countDown();
    thread.join();
  }
}
