package io.connectionledger.app.serve;

import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.kafka.DataDir;
import io.connectionledger.app.kafka.EmbeddedKafka;
import io.connectionledger.app.kafka.TopicSetup;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One running instance of the ledger. */
public final class Instance implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(Instance.class);

  private final DataDir dataDir;
  private final Optional<EmbeddedKafka> kafka;

  private Instance(DataDir dataDir, Optional<EmbeddedKafka> kafka) {
    this.dataDir = dataDir;
    this.kafka = kafka;
  }

  /**
   * Starts every part that {@code roles} names and returns when all of them serve.
   *
   * @throws InterruptedException when told to stop before that; nothing runs any more then
   */
  public static Instance start(LedgerConfig config, Set<Role> roles) throws InterruptedException {
    DataDir dataDir = DataDir.open(config.dataDir());
    Instance instance = new Instance(dataDir, Optional.empty());
    try {
      if (roles.contains(Role.KAFKA)) {
        instance = new Instance(dataDir, Optional.of(EmbeddedKafka.start(config, dataDir)));
      }
      String bootstrapServers =
          instance
              .kafka
              .map(EmbeddedKafka::bootstrapServers)
              .orElse(config.kafka().bootstrapServers());
      TopicSetup.ensure(bootstrapServers, config.kafka());
      LOGGER.atInfo().addKeyValue("kafka", bootstrapServers).log("Instance started");
      return instance;
    } catch (InterruptedException | RuntimeException failed) {
      instance.close();
      throw failed;
    }
  }

  @Override
  public void close() {
    try {
      kafka.ifPresent(EmbeddedKafka::close);
    } finally {
      dataDir.close();
    }
  }
}
