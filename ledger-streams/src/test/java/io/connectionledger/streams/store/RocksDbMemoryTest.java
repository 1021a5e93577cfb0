package io.connectionledger.streams.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;

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

    long unwritten = 0;
    for (RocksDB store : stores) {
      unwritten += store.getLongProperty("rocksdb.cur-size-all-mem-tables");
    }
    // Of 18 MiB; one that is being written counts until it is.
    assertThat(unwritten).isLessThan(BYTES);
    assertThat(shared.cache.getUsage()).isPositive().isLessThan(BYTES + BYTES / 2);
    stores.forEach(RocksDB::close);
  }
}
