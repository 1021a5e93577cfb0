package io.connectionledger.streams.store;

import java.util.Map;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.Cache;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.WriteBufferManager;

/**
 * The memory that all stores of a process share outside the heap. Each alone would take some 100
 * MiB, and there are five or so for each partition that is owned or stood by for. Thread-safe.
 */
public final class RocksDbMemory implements RocksDBConfigSetter {

  /** Of blocks that were read, with their indexes, and of what is not yet on the disk. */
  public static final long MAX_BYTES = 256 << 20;

  /** Of these, what is not yet on the disk: beyond it a store that is written to writes it. */
  static final long MAX_UNWRITTEN_BYTES = 96 << 20;

  /** What each store takes at least for what it has not written: most write little. */
  private static final long LEAST_UNWRITTEN_BYTES = 64 << 10;

  private static final Shared SHARED = new Shared(MAX_BYTES, MAX_UNWRITTEN_BYTES);

  private final Shared shared;

  /** As long as the process. */
  static final class Shared {
    final Cache cache;
    final WriteBufferManager unwritten;

    Shared(long bytes, long unwrittenBytes) {
      RocksDB.loadLibrary();
      cache = new LRUCache(bytes);
      unwritten = new WriteBufferManager(unwrittenBytes, cache);
    }
  }

  /** What Kafka Streams makes for each store. */
  public RocksDbMemory() {
    this(SHARED);
  }

  RocksDbMemory(Shared shared) {
    this.shared = shared;
  }

  @Override
  public void setConfig(String store, Options options, Map<String, Object> configs) {
    BlockBasedTableConfig table = (BlockBasedTableConfig) options.tableFormatConfig();
    table.setBlockCache(shared.cache);
    table.setCacheIndexAndFilterBlocks(true);
    table.setPinTopLevelIndexAndFilter(true);
    options.setTableFormatConfig(table);
    options.setArenaBlockSize(LEAST_UNWRITTEN_BYTES);
    options.setWriteBufferManager(shared.unwritten);
  }

  @Override
  public void close(String store, Options options) {
    // What is shared stays for the other stores.
  }
}
