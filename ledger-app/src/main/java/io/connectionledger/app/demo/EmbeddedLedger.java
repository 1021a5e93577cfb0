package io.connectionledger.app.demo;

import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.demo.LedgerStarter.RunningLedger;
import io.connectionledger.app.serve.LedgerNode;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A whole ledger in this process, on free ports, with data that ends with it. */
public final class EmbeddedLedger implements RunningLedger {

  private final Path folder;
  private final LedgerNode instance;

  private EmbeddedLedger(Path folder, LedgerNode instance) {
    this.folder = folder;
    this.instance = instance;
  }

  /** As {@link LedgerStarter#start}. */
  public static RunningLedger start(PoolPolicy policy, Duration heartbeat) throws Exception {
    Path folder = Files.createTempDirectory("ledger-demo-");
    LedgerConfig config =
        ConfigLoader.parse(yaml(folder.resolve("data"), policy, heartbeat), "demo", Map.of());
    LedgerNode instance = LedgerNode.start(config, Role.resolve(Optional.empty(), config.kafka()));
    EmbeddedLedger ledger = new EmbeddedLedger(folder, instance);
    try {
      instance.awaitReady();
      return ledger;
    } catch (Exception failed) {
      ledger.close();
      throw failed;
    }
  }

  private static String yaml(Path data, PoolPolicy policy, Duration heartbeat) {
    return """
    data-dir: '%s'
    kafka: { port: 0 }
    als: { port: 0 }
    authz: { port: 0 }
    http: { port: 0 }
    xds: { port: 0 }
    lease: { heartbeat: %ds }
    pools:
      %s:
        connections-per-second: %s
        burst-capacity: %d
        per-pod-max-connections: %d
        pods: [%s]
    """
        .formatted(
            data,
            heartbeat.toSeconds(),
            policy.pool(),
            policy.connectionsPerSecond(),
            policy.burstCapacity(),
            policy.perPodMaxConnections(),
            policy.pods().stream().map(EmbeddedLedger::yaml).collect(Collectors.joining(", ")));
  }

  private static String yaml(Pod pod) {
    return "{ name: '%s', address: '%s' }".formatted(pod.name(), pod.address());
  }

  @Override
  public LedgerPorts ports() {
    return new LedgerPorts(
        instance.alsPort().orElseThrow(),
        instance.authzPort().orElseThrow(),
        instance.xdsPort().orElseThrow(),
        instance.httpPort().orElseThrow());
  }

  @Override
  public void close() {
    instance.close();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException left) {
      throw new UncheckedIOException("the demo's data is left in " + folder, left);
    }
  }
}
