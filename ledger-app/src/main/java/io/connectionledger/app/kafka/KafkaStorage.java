package io.connectionledger.app.kafka;

import io.connectionledger.app.config.StartupException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.metadata.bootstrap.BootstrapDirectory;
import org.apache.kafka.metadata.bootstrap.BootstrapMetadata;
import org.apache.kafka.metadata.properties.MetaProperties;
import org.apache.kafka.metadata.properties.MetaPropertiesEnsemble;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.Feature;

/**
 * The formatted directory of the embedded broker. Its cluster id is the instance's id, by which we
 * know it again.
 */
record KafkaStorage(
    String clusterId, MetaPropertiesEnsemble properties, BootstrapMetadata bootstrapMetadata) {

  /**
   * Formats the directory where it is new.
   *
   * @throws StartupException when it belongs to another node or cluster; nothing is changed then
   */
  static KafkaStorage open(Path logs, UUID instanceId) {
    String clusterId =
        new Uuid(instanceId.getMostSignificantBits(), instanceId.getLeastSignificantBits())
            .toString();
    try {
      if (isNew(logs)) {
        format(logs, clusterId);
      }
      MetaPropertiesEnsemble properties =
          new MetaPropertiesEnsemble.Loader()
              .addMetadataLogDir(logs.toString())
              .addLogDirs(List.of(logs.toString()))
              .load();
      refuseForeign(logs, properties, clusterId);
      return new KafkaStorage(
          clusterId, properties, new BootstrapDirectory(logs.toString()).read());
    } catch (StartupException refused) {
      throw refused;
    } catch (IOException failed) {
      throw unusable(logs, DataDir.reason(failed), failed);
    } catch (Exception failed) {
      throw unusable(logs, String.valueOf(failed.getMessage()), failed);
    }
  }

  private static StartupException unusable(Path logs, String reason, Exception failed) {
    return new StartupException(
        "data-dir: " + logs + " cannot be used by the embedded Kafka (" + reason + ")", failed);
  }

  private static boolean isNew(Path logs) throws IOException {
    if (!Files.exists(logs)) {
      return true;
    }
    try (Stream<Path> entries = Files.list(logs)) {
      return entries.findAny().isEmpty();
    }
  }

  private static void refuseForeign(Path logs, MetaPropertiesEnsemble found, String clusterId) {
    MetaProperties properties = found.logDirProps().get(logs.toString());
    if (properties == null) {
      throw foreign(logs, "holds files, but no readable meta.properties");
    }
    String cluster = properties.clusterId().orElse("");
    int node = properties.nodeId().orElse(-1);
    if (!cluster.equals(clusterId) || node != BrokerSettings.NODE_ID) {
      throw foreign(logs, "belongs to node " + node + " of the Kafka cluster '" + cluster + "'");
    }
  }

  private static StartupException foreign(Path logs, String why) {
    return new StartupException(
        "data-dir: " + logs + " " + why + ": allowed is an empty directory or one of ours");
  }

  /** Formats beside and moves into place, so that a kill never leaves half a format. */
  private static void format(Path logs, String clusterId) throws Exception {
    Path beside = logs.resolveSibling(logs.getFileName() + ".new");
    delete(beside);
    new Formatter()
        .setNodeId(BrokerSettings.NODE_ID)
        .setClusterId(clusterId)
        .addDirectory(beside.toString())
        .setMetadataLogDirectory(beside.toString())
        .setControllerListenerName(BrokerSettings.CONTROLLER)
        .setSupportedFeatures(Feature.PRODUCTION_FEATURES)
        .setPrintStream(
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
        .run();
    Files.move(beside, logs, StandardCopyOption.ATOMIC_MOVE);
  }

  private static void delete(Path directory) throws IOException {
    if (Files.exists(directory)) {
      try (Stream<Path> entries = Files.walk(directory)) {
        for (Path entry : entries.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(entry);
        }
      }
    }
  }
}
