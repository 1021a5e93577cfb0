package io.connectionledger.bench.side;

import io.connectionledger.bench.process.Subprocess;
import java.util.List;

/**
 * A running ext_authz server over gRPC.
 *
 * @param port on the loopback
 * @param processes all that it takes, whose processor time is its own
 * @param parts what to close, in this order
 */
public record Side(
    String name, int port, List<Subprocess> processes, List<? extends AutoCloseable> parts)
    implements AutoCloseable {

  /** Of processes that are closed as they are, the last first. */
  static Side of(String name, int port, List<Subprocess> processes) {
    return new Side(name, port, processes, processes.reversed());
  }

  /** The processor time that all of it has used, in nanoseconds. */
  public long cpuNanos() {
    return processes.stream().mapToLong(Subprocess::cpuNanos).sum();
  }

  @Override
  public void close() throws Exception {
    for (AutoCloseable part : parts) {
      part.close();
    }
  }
}
