package io.connectionledger.app.serve;

import io.connectionledger.app.config.LedgerConfig.Listener;
import io.connectionledger.app.config.StartupException;
import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A gRPC server of this instance on one of the configured listeners. */
final class GrpcServer implements AutoCloseable {

  /** Calls that are underway get this long; access-log streams never end by themselves. */
  private static final Duration GRACE = Duration.ofSeconds(1);

  /**
   * The metadata of one call: a check has its own beside what tracing adds of the client's request,
   * such as {@code tracestate}, and Envoy takes 60 KiB of headers from a client. Up to a quarter
   * more is refused as that call; what is beyond that ends the connection.
   */
  static final int MAX_METADATA_BYTES = 128 << 10;

  /**
   * One message: an access-log message has what Envoy's buffer holds, 16 KiB unless told otherwise,
   * and an entry more; a check has no body. A larger one is refused as its call.
   */
  static final int MAX_MESSAGE_BYTES = 1 << 20;

  /** Calls at once on one connection; Envoy opens another one when it has more. */
  static final int MAX_CALLS_OF_A_CONNECTION = 10_000;

  /**
   * Connections from one address: each worker of an Envoy has one for each of the ledger's
   * services, and many Envoys may stand behind one.
   */
  static final int MAX_CONNECTIONS_OF_AN_ADDRESS = 2_048;

  /** How long a connection may take until it can be used. */
  static final Duration HANDSHAKE = Duration.ofSeconds(20);

  /** A connection without calls for so long is closed. */
  static final Duration IDLE = Duration.ofHours(1);

  /** One that is silent for so long is asked whether it is still there. */
  static final Duration SILENT = Duration.ofMinutes(1);

  /** And is closed when it does not answer within this. */
  static final Duration NO_ANSWER = Duration.ofSeconds(20);

  private static final Times TIMES = new Times(HANDSHAKE, IDLE, SILENT, NO_ANSWER);

  static {
    GrpcLog.install();
  }

  private final Server server;
  private final @Nullable ExecutorService executor;

  /** When a connection is closed: {@link #HANDSHAKE} and so on. */
  record Times(Duration handshake, Duration idle, Duration silent, Duration noAnswer) {}

  private GrpcServer(Server server, @Nullable ExecutorService executor) {
    this.server = server;
    this.executor = executor;
  }

  /**
   * Serves calls that may wait: each on a thread of its own.
   *
   * @param registry where it is counted what is refused
   * @param interceptors the last sees a call first
   */
  static GrpcServer start(
      String key,
      Listener listener,
      ServerCredentials credentials,
      MeterRegistry registry,
      List<ServerInterceptor> interceptors,
      BindableService... services) {
    ExecutorService executor =
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name(key + "-", 0).factory());
    NettyServerBuilder builder =
        builder(key, listener, credentials, registry, TIMES).executor(executor);
    // gRPC runs the last one first.
    interceptors.forEach(builder::intercept);
    for (BindableService service : services) {
      builder.addService(service);
    }
    return new GrpcServer(listen(key, listener, builder), executor);
  }

  /**
   * Serves calls that never wait, on the event loop.
   *
   * @param registry where it is counted what is refused
   */
  static GrpcServer startOnEventLoop(
      String key,
      Listener listener,
      ServerCredentials credentials,
      MeterRegistry registry,
      ServerServiceDefinition... services) {
    return startOnEventLoop(key, listener, credentials, registry, TIMES, services);
  }

  /** The same, which closes connections at other times. */
  static GrpcServer startOnEventLoop(
      String key,
      Listener listener,
      ServerCredentials credentials,
      MeterRegistry registry,
      Times times,
      ServerServiceDefinition... services) {
    NettyServerBuilder builder =
        builder(key, listener, credentials, registry, times).directExecutor();
    for (ServerServiceDefinition service : services) {
      builder.addService(service);
    }
    return new GrpcServer(listen(key, listener, builder), null);
  }

  private static NettyServerBuilder builder(
      String key,
      Listener listener,
      ServerCredentials credentials,
      MeterRegistry registry,
      Times times) {
    GrpcRefusals refusals = new GrpcRefusals(key, registry);
    return NettyServerBuilder.forAddress(listener.socketAddress(), credentials)
        // Envoys ping idle connections to find a ledger that vanished; the default takes pings more
        // often than every five minutes for an attack.
        .maxInboundMetadataSize(MAX_METADATA_BYTES)
        .maxInboundMessageSize(MAX_MESSAGE_BYTES)
        .maxConcurrentCallsPerConnection(MAX_CALLS_OF_A_CONNECTION)
        .handshakeTimeout(times.handshake().toMillis(), TimeUnit.MILLISECONDS)
        .maxConnectionIdle(times.idle().toMillis(), TimeUnit.MILLISECONDS)
        .keepAliveTime(times.silent().toMillis(), TimeUnit.MILLISECONDS)
        .keepAliveTimeout(times.noAnswer().toMillis(), TimeUnit.MILLISECONDS)
        .permitKeepAliveTime(1, TimeUnit.SECONDS)
        .permitKeepAliveWithoutCalls(true)
        .addStreamTracerFactory(refusals)
        .addTransportFilter(new AddressCap(MAX_CONNECTIONS_OF_AN_ADDRESS, refusals));
  }

  private static Server listen(String key, Listener listener, NettyServerBuilder builder) {
    try {
      return builder.build().start();
    } catch (IOException refused) {
      throw new StartupException(
          key
              + ".port is "
              + listener.port()
              + ", but "
              + listener.bind()
              + ":"
              + listener.port()
              + " cannot be listened on: allowed is a free port, or 0 for any",
          refused);
    }
  }

  int port() {
    return server.getPort();
  }

  @Override
  public void close() throws InterruptedException {
    server.shutdown();
    if (!server.awaitTermination(GRACE.toMillis(), TimeUnit.MILLISECONDS)) {
      server.shutdownNow().awaitTermination();
    }
    if (executor != null) {
      executor.shutdown();
    }
  }
}
