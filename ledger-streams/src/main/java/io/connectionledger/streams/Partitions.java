package io.connectionledger.streams;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.apache.kafka.common.utils.Utils;

/** Where the records of a pool are. */
public final class Partitions {

  private Partitions() {}

  /**
   * The partition of {@code count} that Kafka's default partitioner gives to the key {@code pool}.
   */
  public static int of(String pool, int count) {
    return Utils.toPositive(Utils.murmur2(pool.getBytes(UTF_8))) % count;
  }
}
