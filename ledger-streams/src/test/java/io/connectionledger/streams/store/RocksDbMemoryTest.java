package io.connectionledger.streams.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;

class RocksDbMemoryTest {

  private static final int BYTES = 4 << 20;
  private static final int STORES = 6;

  @TempDir private Path folder;

  /** By default each has three buffers of 16 MiB, and a cache of 50 MiB. */
  @Test
  void shouldShareOneMemoryAmongAllStores() throws Exception {
    RocksDbMemory.Shared shared = new RocksDbMemory.Shared(BYTES, BYTES / 2);
    List<RocksDB> stores = new ArrayList<>();
    byte[] value = new byte[1_000];
    Random random = new Random(1);
    for (int i = 0; i < STORES; i++) {
      Options options =
          new Options()
              .setCreateIfMissing(true)
              .setWriteBufferSize(16 << 20)
              .setTableFormatConfig(new BlockBasedTableConfig());
      new RocksDbMemory(shared).setConfig("store", options, Map.of());
      stores.add(RocksDB.open(options, folder.resolve("store-" + i).toString()));
    }
    for (int key = 0; key < 3_000; key++) {
      for (RocksDB store : stores) {
        random.nextBytes(value);
        store.put(Integer.toString(key).getBytes(UTF_8), value);
      }
    }

    assertThat(beingWrittenTo(stores)).as("bytes, of 18 MiB").isLessThan(BYTES);
    assertThat(shared.cache.getUsage()).isPositive();
    // What is on its way to the disk counts until it is there.
    await()
        .atMost(Duration.ofMinutes(1))
        .untilAsserted(() -> assertThat(shared.cache.getUsage()).isLessThan(2 * BYTES));
    stores.forEach(RocksDB::close);
  }

  private static long beingWrittenTo(List<RocksDB> stores) throws RocksDBException {
    long bytes = 0;
    for (RocksDB store : stores) {
      bytes += store.getLongProperty("rocksdb.cur-size-active-mem-table");
    }
    return bytes;
  }
}
