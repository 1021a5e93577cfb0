package io.connectionledger.admission;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.stream.Stream;

/** Serves over a real connection what answers at once. */
public final class LoopbackServer {

  private LoopbackServer() {}

  /** Starts one on a free port of the loopback, without threads of its own for the services. */
  public static Server start(BindableService... services) throws IOException {
    return NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
        .directExecutor()
        .addServices(Stream.of(services).map(BindableService::bindService).toList())
        .build()
        .start();
  }
}
