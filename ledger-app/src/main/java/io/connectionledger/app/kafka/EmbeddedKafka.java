package io.connectionledger.app.kafka;

import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.LedgerConfig.Listener;
import io.connectionledger.app.config.StartupException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import kafka.server.BrokerServer;
import kafka.server.ControllerServer;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.server.Server$;
import kafka.server.SharedServer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.fault.FaultHandler;
import org.apache.kafka.server.fault.LoggingFaultHandler;
import org.apache.kafka.server.fault.ProcessTerminatingFaultHandler;

/**
 * The real Kafka broker, with its controller, in this process. Its data survive restarts and kills;
 * a fault that Kafka cannot live with ends the process, as it would end Kafka's own.
 *
 * <p>It is put together like {@link KafkaRaftServer}, but on sockets that are bound already.
 */
public final class EmbeddedKafka implements AutoCloseable {

  private final ControllerServer controller;
  private final BrokerServer broker;
  private final String bootstrapServers;

  private EmbeddedKafka(SharedServer shared, KafkaStorage storage, String bootstrapServers) {
    this.controller =
        new ControllerServer(shared, KafkaRaftServer.configSchema(), storage.bootstrapMetadata());
    this.broker = new BrokerServer(shared);
    this.bootstrapServers = bootstrapServers;
  }

  /**
   * Starts it and returns when it answers.
   *
   * @param dataDir stays open for as long as the broker runs
   * @throws StartupException when a port is in use, the data are another's, or a property is wrong
   */
  public static EmbeddedKafka start(LedgerConfig config, DataDir dataDir) {
    return Uninterrupted.call("kafka-startup", () -> build(config, dataDir));
  }

  private static EmbeddedKafka build(LedgerConfig config, DataDir dataDir) {
    try (Sockets sockets = new Sockets()) {
      Listener listener = config.kafka().listener();
      int port = sockets.bind(BrokerSettings.CLIENTS, listener, "kafka");
      int controllerPort =
          sockets.bind(
              BrokerSettings.CONTROLLER,
              new Listener(BrokerSettings.CONTROLLER_HOST, 0),
              "the controller");
      String advertised = advertised(config, port);
      Path logs = dataDir.resolve("kafka");
      KafkaConfig settings =
          settings(BrokerSettings.of(config.kafka(), logs, port, controllerPort, advertised));
      KafkaStorage storage = KafkaStorage.open(logs, dataDir.instanceId());
      EmbeddedKafka kafka =
          new EmbeddedKafka(
              shared(settings, storage, sockets, controllerPort), storage, advertised);
      kafka.startup();
      return kafka;
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  /** What clients are to be given. */
  public String bootstrapServers() {
    return bootstrapServers;
  }

  /** Stops it in order; returns when everything is on disk. Idempotent. */
  @Override
  public void close() {
    // The broker takes its leave of the controller, so it goes first.
    try {
      broker.shutdown();
    } finally {
      controller.shutdown();
    }
  }

  private void startup() {
    try {
      controller.startup();
      broker.startup();
    } catch (Exception failed) {
      // Scala throws checked exceptions without declaring them.
      try {
        close();
      } catch (RuntimeException also) {
        failed.addSuppressed(also);
      }
      throw new StartupException("the embedded Kafka cannot start: " + failed, failed);
    }
  }

  private static KafkaConfig settings(Map<String, String> properties) {
    try {
      return new KafkaConfig(properties, false);
    } catch (KafkaException | IllegalArgumentException invalid) {
      throw new StartupException(
          "kafka.properties: allowed is what Kafka's broker takes (" + invalid.getMessage() + ")",
          invalid);
    }
  }

  private static SharedServer shared(
      KafkaConfig settings, KafkaStorage storage, Sockets sockets, int controllerPort) {
    return new SharedServer(
        settings,
        storage.properties(),
        Time.SYSTEM,
        Server$.MODULE$.initializeMetrics(settings, Time.SYSTEM, storage.clusterId()),
        CompletableFuture.completedFuture(
            Map.of(
                BrokerSettings.NODE_ID,
                new InetSocketAddress(InetAddress.getLoopbackAddress(), controllerPort))),
        List.of(),
        EmbeddedKafka::faultHandler,
        sockets);
  }

  /** A controller that fails to start throws as well, so that one fault may be told in a line. */
  private static FaultHandler faultHandler(String name, boolean fatal, Runnable action) {
    return fatal && !name.equals("controller startup")
        ? new ProcessTerminatingFaultHandler.Builder().setAction(action).build()
        : new LoggingFaultHandler(name, action);
  }

  private static String advertised(LedgerConfig config, int port) {
    Listener listener = config.kafka().listener();
    InetSocketAddress address = listener.socketAddress();
    boolean everywhere = address.getAddress().isAnyLocalAddress();
    return BrokerSettings.hostPort(everywhere ? config.instance().host() : listener.bind(), port);
  }
}
