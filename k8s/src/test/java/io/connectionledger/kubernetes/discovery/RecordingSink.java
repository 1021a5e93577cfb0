package io.connectionledger.kubernetes.discovery;

import io.connectionledger.model.Ticker;
import io.connectionledger.model.endpoints.PoolEndpoints;
import io.connectionledger.model.endpoints.PoolEndpoints.Endpoint;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** A compacted topic in memory, which several instances share. Thread-safe. */
final class RecordingSink {

  /** A record, and when it was published. */
  record Published(PoolEndpoints record, long atNanos) {}

  private final Ticker ticker;
  private final Map<String, Map<String, PoolEndpoints>> topic = new ConcurrentHashMap<>();
  private final List<Published> log = new CopyOnWriteArrayList<>();

  RecordingSink(Ticker ticker) {
    this.ticker = ticker;
  }

  /** The sink of one more instance, with a log of what it publishes. */
  EndpointSink instance(List<Published> published) {
    return new EndpointSink() {
      @Override
      public void publish(PoolEndpoints record) {
        Published entry = new Published(record, ticker.nowNanos());
        published.add(entry);
        log.add(entry);
        PoolEndpoints unused =
            slices(record.pool())
                .merge(
                    record.slice(),
                    record,
                    (was, is) -> is.resourceVersion() < was.resourceVersion() ? was : is);
      }

      @Override
      public void remove(String pool, String slice) {
        PoolEndpoints unused = slices(pool).remove(slice);
      }

      @Override
      public Collection<PoolEndpoints> known(String pool) {
        return List.copyOf(slices(pool).values());
      }
    };
  }

  EndpointSink instance() {
    return instance(new CopyOnWriteArrayList<>());
  }

  private Map<String, PoolEndpoints> slices(String pool) {
    return topic.computeIfAbsent(pool, name -> new ConcurrentHashMap<>());
  }

  /** All that was published so far. */
  List<Published> log() {
    return List.copyOf(log);
  }

  /** The slices that a pool has now. */
  Collection<PoolEndpoints> records(String pool) {
    return List.copyOf(slices(pool).values());
  }

  /** The endpoints that a pool has now, in the order of their names. */
  List<Endpoint> endpoints(String pool) {
    return records(pool).stream()
        .flatMap(record -> record.endpoints().stream())
        .sorted(Comparator.comparing(Endpoint::name))
        .toList();
  }
}
