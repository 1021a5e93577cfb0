package io.connectionledger.streams.topology;

import io.connectionledger.testkit.ManualTicker;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Properties;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;

/** The ledger's topology without Kafka. */
public final class TestTopology {

  private TestTopology() {}

  /** Runs it around these processors, from the ticker's time on. */
  public static TopologyTestDriver run(
      ProcessorSupplier<String, byte[], String, byte[]> processors,
      Path stateDir,
      ManualTicker ticker) {
    Properties properties = new Properties();
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
    properties.put(StreamsConfig.STATE_DIR_CONFIG, stateDir.toString());
    return new TopologyTestDriver(
        LedgerTopology.build(processors, ticker), properties, Instant.ofEpochMilli(ticker.nowMs()));
  }
}
