package io.connectionledger.app.kafka;

import io.connectionledger.app.config.LedgerConfig;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** How the embedded broker is set: one node that is everything, small, and quick to start. */
final class BrokerSettings {

  static final int NODE_ID = 1;
  static final String CLIENTS = "CLIENTS";
  static final String CONTROLLER = "CONTROLLER";
  static final String CONTROLLER_HOST = "127.0.0.1";

  private BrokerSettings() {}

  /**
   * The broker's properties; those of {@code config} win, but for where it listens and what it is.
   *
   * @param advertised how clients reach it, host:port
   */
  static Map<String, String> of(
      LedgerConfig.Kafka config, Path logs, int port, int controllerPort, String advertised) {
    String controller = CONTROLLER_HOST + ":" + controllerPort;
    Map<String, String> settings = new HashMap<>(singleNode());
    settings.putAll(small());
    settings.putAll(config.properties());
    settings.putAll(
        Map.of(
            "process.roles",
            "broker,controller",
            "node.id",
            Integer.toString(NODE_ID),
            "log.dirs",
            logs.toString(),
            "controller.quorum.voters",
            NODE_ID + "@" + controller,
            "controller.listener.names",
            CONTROLLER,
            "inter.broker.listener.name",
            CLIENTS,
            "listener.security.protocol.map",
            CLIENTS + ":PLAINTEXT," + CONTROLLER + ":PLAINTEXT",
            "listeners",
            listener(CLIENTS, hostPort(config.listener().bind(), port))
                + ","
                + listener(CONTROLLER, controller),
            "advertised.listeners",
            listener(CLIENTS, advertised)));
    return settings;
  }

  /** {@code host:port}, an IPv6 literal in brackets. */
  static String hostPort(String host, int port) {
    return host.contains(":") ? "[" + host + "]:" + port : host + ":" + port;
  }

  private static String listener(String name, String hostPort) {
    return name + "://" + hostPort;
  }

  private static Map<String, String> singleNode() {
    return Map.of(
        "offsets.topic.replication.factor", "1",
        "transaction.state.log.replication.factor", "1",
        "transaction.state.log.min.isr", "1",
        "share.coordinator.state.topic.replication.factor", "1",
        "share.coordinator.state.topic.min.isr", "1",
        "auto.create.topics.enable", "false",
        // Nobody else is on the way: a first consumer need not wait for others to join.
        "group.initial.rebalance.delay.ms", "0",
        // After a kill the controller waits for its former self to expire; 9 s by default.
        "broker.session.timeout.ms", "1500",
        "broker.heartbeat.interval.ms", "500",
        // Instances that died are to be noticed within 3 s; the default allows no less than 6.
        "group.min.session.timeout.ms", "1000");
  }

  private static Map<String, String> small() {
    return Map.of(
        "offsets.topic.num.partitions", "4",
        "transaction.state.log.num.partitions", "4",
        "share.coordinator.state.topic.num.partitions", "4",
        // Each wakes up several times a second, whether there is anything to do or not.
        "num.network.threads", "1",
        "num.io.threads", "2",
        "group.coordinator.threads", "1",
        // Records that tell other controllers that this one lives; there are none.
        "metadata.max.idle.interval.ms", "0",
        "metric.reporters", "",
        // 128 MB by default, for far larger compacted topics than ours.
        "log.cleaner.dedupe.buffer.size", "16777216");
  }
}
