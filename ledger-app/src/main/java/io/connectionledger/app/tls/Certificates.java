package io.connectionledger.app.tls;

import io.connectionledger.app.config.LedgerConfig.Tls;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The {@link TlsMaterial} of every port, read again within two seconds of a change to its files:
 * however they are replaced, by writing, renaming or the symbolic links of Kubernetes' secrets.
 */
public final class Certificates implements AutoCloseable {

  private static final Duration LOOK = Duration.ofSeconds(1);

  private final Map<String, TlsMaterial> ports = new LinkedHashMap<>();
  private final Map<Tls, TlsMaterial> materials = new LinkedHashMap<>();
  private final Counter refused;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("certificates").daemon().factory());

  private Certificates(MeterRegistry registry) {
    refused =
        Counter.builder("ledger.certificates.refused")
            .description("Changes of certificate files that could not be used.")
            .register(registry);
  }

  /**
   * Reads the files of all ports, and goes on looking at them.
   *
   * @param tls of each port that has it, by the port's section
   * @throws io.connectionledger.app.config.StartupException with one line that names the file that
   *     cannot be used
   */
  public static Certificates load(Map<String, Tls> tls, MeterRegistry registry) {
    Certificates all = new Certificates(registry);
    boolean loaded = false;
    try {
      tls.forEach(
          (port, files) ->
              all.ports.put(
                  port,
                  all.materials.computeIfAbsent(
                      files, same -> TlsMaterial.load(port + ".tls", same))));
      loaded = true;
    } finally {
      if (!loaded) {
        all.close();
      }
    }
    if (!all.materials.isEmpty()) {
      var unused =
          all.thread.scheduleWithFixedDelay(
              all::look, LOOK.toMillis(), LOOK.toMillis(), TimeUnit.MILLISECONDS);
    }
    return all;
  }

  private void look() {
    for (TlsMaterial material : materials.values()) {
      if (!material.reload()) {
        refused.increment();
      }
    }
  }

  /** That of a port; null where it is plain text. */
  public @Nullable TlsMaterial of(String port) {
    return ports.get(port);
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
