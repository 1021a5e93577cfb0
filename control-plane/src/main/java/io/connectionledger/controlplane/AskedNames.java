package io.connectionledger.controlplane;

import com.google.protobuf.MessageLite;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How many streams there are, and how much they ask for, which the discovery server keeps for as
 * long as they last; a message is of a mebibyte at most. A stream beyond the bounds is refused and
 * counted. Thread-safe.
 */
final class AskedNames {

  /** Prometheus: {@code ledger_eds_streams_refused_total}. */
  static final String REFUSED = "ledger.eds.streams.refused";

  /** Two of each Envoy that an instance takes access logs of: a cluster may have its own. */
  static final int MAX_STREAMS = 20_000;

  /** Of one stream: more than the names of all pools that there may be. */
  static final int MAX_BYTES_OF_A_STREAM = 1 << 20;

  /** Of all streams. */
  static final int MAX_BYTES = 64 << 20;

  private final Counter refused;
  private final int maxStreams;
  private final long maxBytes;
  private final AtomicLong streams = new AtomicLong();
  private final AtomicLong bytes = new AtomicLong();

  AskedNames(MeterRegistry registry) {
    this(registry, MAX_STREAMS, MAX_BYTES);
  }

  AskedNames(MeterRegistry registry, int maxStreams, long maxBytes) {
    this.maxStreams = maxStreams;
    this.maxBytes = maxBytes;
    refused =
        Counter.builder(REFUSED)
            .description("Streams of endpoints refused as too many, or for asking for too much")
            .register(registry);
  }

  /** Whether one more stream may begin; it is then to be {@link OfStream#close closed}. */
  boolean begin() {
    if (streams.incrementAndGet() <= maxStreams) {
      return true;
    }
    streams.decrementAndGet();
    refused.increment();
    return false;
  }

  /** Of a stream that has begun. Not thread-safe, as its requests come one after the other. */
  final class OfStream implements AutoCloseable {
    private long subscribed;
    private long held;
    private boolean closed;

    /** Whether the server may have this, too; when not, the stream is to end. */
    boolean takes(Object request) {
      long size = request instanceof MessageLite message ? message.getSerializedSize() : 0;
      if (request instanceof DeltaDiscoveryRequest delta
          && delta.getResourceNamesSubscribeCount() > 0) {
        // In that protocol names add up.
        subscribed += size;
      }
      long more = subscribed + size - held;
      held += more;
      boolean taken = bytes.addAndGet(more) <= maxBytes && held <= MAX_BYTES_OF_A_STREAM;
      if (!taken) {
        refused.increment();
      }
      return taken;
    }

    /** The stream has ended. Idempotent. */
    @Override
    public void close() {
      if (!closed) {
        closed = true;
        bytes.addAndGet(-held);
        streams.decrementAndGet();
      }
    }
  }
}
