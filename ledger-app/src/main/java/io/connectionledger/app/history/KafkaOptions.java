package io.connectionledger.app.history;

import io.connectionledger.app.cli.KafkaPropertiesOption;
import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.CommonClientConfigs;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Where the ledger's Kafka is, and by which leases it is kept. */
final class KafkaOptions {

  private static final String EMBEDDED = "127.0.0.1:9092";
  private static final LeaseTerms USUAL =
      new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15));

  @Option(
      names = "--bootstrap-servers",
      paramLabel = "HOST:PORT",
      description = "The ledger's Kafka (default: the configuration's, or 127.0.0.1:9092).")
  private @Nullable String bootstrapServers;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "The ledger's configuration: its Kafka, properties of clients, and leases; without it"
              + " the default leases count.")
  private @Nullable Path config;

  @Mixin private KafkaPropertiesOption properties = new KafkaPropertiesOption();

  /**
   * What the options say.
   *
   * @param kafka client settings with the bootstrap servers
   */
  record Resolved(Map<String, Object> kafka, LeaseTerms terms) {}

  /**
   * Reads the configuration where there is one.
   *
   * @throws io.connectionledger.app.config.ConfigException when it is wrong
   */
  Resolved resolve() {
    Map<String, Object> kafka = new HashMap<>();
    LeaseTerms terms = USUAL;
    String servers = EMBEDDED;
    if (config != null) {
      LedgerConfig loaded = ConfigLoader.load(config, System.getenv());
      LedgerConfig.Lease lease = loaded.lease();
      terms =
          new LeaseTerms(
              lease.heartbeat(), lease.missed(), lease.reservation(), lease.unreported());
      kafka.putAll(loaded.kafka().clientProperties());
      servers = loaded.kafka().servers();
    }
    kafka.putAll(properties.read());
    kafka.put(
        CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG,
        bootstrapServers == null ? servers : bootstrapServers);
    return new Resolved(kafka, terms);
  }
}
