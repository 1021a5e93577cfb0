package io.connectionledger.app.kafka;

import io.connectionledger.testkit.FreePorts;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.Feature;

/** Three brokers in this process, the first with the controller. */
final class ThreeBrokers implements AutoCloseable {

  private final List<KafkaRaftServer> nodes = new ArrayList<>();
  private final List<Integer> ports;

  private ThreeBrokers(List<Integer> ports) {
    this.ports = ports;
  }

  static ThreeBrokers start(Path folder) throws Exception {
    List<Integer> ports = FreePorts.some(4);
    ThreeBrokers brokers = new ThreeBrokers(ports.subList(0, 3));
    String cluster = Uuid.randomUuid().toString();
    for (int id = 1; id <= 3; id++) {
      Path logs = folder.resolve("broker-" + id);
      new Formatter()
          .setNodeId(id)
          .setClusterId(cluster)
          .addDirectory(logs.toString())
          .setMetadataLogDirectory(logs.toString())
          .setControllerListenerName("CONTROLLER")
          .setSupportedFeatures(Feature.PRODUCTION_FEATURES)
          .setPrintStream(
              new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
          .run();
      KafkaRaftServer node =
          new KafkaRaftServer(new KafkaConfig(settings(id, logs, ports), false), Time.SYSTEM);
      node.startup();
      brokers.nodes.add(node);
    }
    return brokers;
  }

  private static Map<String, String> settings(int id, Path logs, List<Integer> ports) {
    String clients = "CLIENTS://127.0.0.1:" + ports.get(id - 1);
    String controller = "127.0.0.1:" + ports.get(3);
    Map<String, String> settings =
        new HashMap<>(
            Map.of(
                "process.roles",
                id == 1 ? "broker,controller" : "broker",
                "node.id",
                Integer.toString(id),
                "log.dirs",
                logs.toString(),
                "controller.quorum.voters",
                "1@" + controller,
                "controller.listener.names",
                "CONTROLLER",
                "inter.broker.listener.name",
                "CLIENTS",
                "listener.security.protocol.map",
                "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
                "listeners",
                id == 1 ? clients + ",CONTROLLER://" + controller : clients));
    settings.put("advertised.listeners", clients);
    settings.put("offsets.topic.num.partitions", "1");
    settings.put("auto.create.topics.enable", "false");
    settings.put("group.initial.rebalance.delay.ms", "0");
    settings.put("log.cleaner.dedupe.buffer.size", "16777216");
    return settings;
  }

  String bootstrapServers() {
    return ports.stream().map(port -> "127.0.0.1:" + port).collect(Collectors.joining(","));
  }

  /** Stops one of them for good. */
  void stop(int id) {
    nodes.get(id - 1).shutdown();
  }

  @Override
  public void close() {
    // The controller goes last: the others take their leave of it.
    for (int id = 3; id >= 1; id--) {
      stop(id);
    }
  }
}
