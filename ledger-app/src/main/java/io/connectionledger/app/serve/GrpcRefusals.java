package io.connectionledger.app.serve;

import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;

/**
 * Counts what a gRPC server refuses because it is too much, by itself or by its services. What it
 * answers before there is a call, such as too much metadata, nobody is told of. Thread-safe.
 */
final class GrpcRefusals extends ServerStreamTracer.Factory {

  private final Counter connections;
  private final Counter messages;
  private final Counter calls;
  private final ServerStreamTracer tracer = new Ends();

  /** Of a port; each reason has its series from now on. */
  GrpcRefusals(String port, MeterRegistry registry) {
    connections = counter(registry, port, "connections");
    messages = counter(registry, port, "message_too_large");
    calls = counter(registry, port, "busy");
  }

  private static Counter counter(MeterRegistry registry, String port, String reason) {
    return Counter.builder("ledger.grpc.refused")
        .description("Connections, messages and calls that were too much for a gRPC port")
        .tag("port", port)
        .tag("reason", reason)
        .register(registry);
  }

  /** How calls end. */
  private final class Ends extends ServerStreamTracer {

    @Override
    public void streamClosed(Status status) {
      if (status.getCode() == Status.Code.RESOURCE_EXHAUSTED) {
        // gRPC's own word is all that tells it from a service's.
        String why = String.valueOf(status.getDescription());
        (why.contains("exceeds maximum size") ? messages : calls).increment();
      }
    }
  }

  /** A connection was closed. */
  void connection() {
    connections.increment();
  }

  @Override
  public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
    return tracer;
  }
}
