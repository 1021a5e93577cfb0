package io.connectionledger.testkit;

import io.grpc.BindableService;
import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import java.io.IOException;
import java.util.concurrent.TimeUnit;

/** gRPC services that are called without a network. */
public final class InProcessService implements AutoCloseable {

  private final Server server;
  private final ManagedChannel channel;

  private InProcessService(Server server, ManagedChannel channel) {
    this.server = server;
    this.channel = channel;
  }

  public static InProcessService start(BindableService... services) throws IOException {
    String name = InProcessServerBuilder.generateName();
    InProcessServerBuilder server = InProcessServerBuilder.forName(name);
    for (BindableService service : services) {
      server.addService(service);
    }
    return new InProcessService(
        server.build().start(), InProcessChannelBuilder.forName(name).build());
  }

  /** The one connection to them. */
  public Channel channel() {
    return channel;
  }

  /** Ends all calls, which must be over within 10 s. */
  @Override
  public void close() throws InterruptedException {
    channel.shutdownNow();
    server.shutdownNow();
    if (!server.awaitTermination(10, TimeUnit.SECONDS)) {
      throw new IllegalStateException("calls go on although the server was shut down");
    }
  }
}
