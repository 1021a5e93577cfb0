package io.connectionledger.app.cli;

import io.connectionledger.app.config.ConfigLoader;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Properties of a command's Kafka client, from a file: arguments can be read by anybody. */
public final class KafkaPropertiesOption {

  @Option(
      names = "--kafka-properties",
      paramLabel = "FILE",
      description =
          "Properties of the Kafka client, as a Java properties file: TLS, SASL. They win over the"
              + " configuration's.")
  private @Nullable Path file;

  /**
   * What the file says; empty without one.
   *
   * @throws io.connectionledger.app.config.ConfigException when it cannot be read
   */
  public Map<String, String> read() {
    return file == null ? Map.of() : ConfigLoader.properties("--kafka-properties", file);
  }
}
