package io.connectionledger.bench.side;

import io.connectionledger.bench.process.LedgerProcess;
import io.connectionledger.bench.process.LedgerProcess.Shape;
import io.connectionledger.controlplane.EdsServer;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.envoyproxy.envoy.service.accesslog.v3.AccessLogServiceGrpc;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsMessage;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsResponse;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;

/**
 * What Envoys need beside a side that only answers checks: their pods, and somebody who takes their
 * access log and forgets it.
 */
public final class Endpoints implements AutoCloseable {

  private final Server server;

  private Endpoints(Server server) {
    this.server = server;
  }

  /** For the first pool of {@code shape}. */
  public static Endpoints serve(Shape shape) throws IOException {
    List<Pod> pods =
        shape.addresses().stream()
            .map(address -> new Pod(address, PodAddress.parse(address)))
            .toList();
    PoolPolicy policy =
        new PoolPolicy(
            LedgerProcess.pool(0),
            PoolPolicy.MAX_RATE,
            PoolPolicy.MAX_BURST,
            PoolPolicy.MAX_PER_POD,
            PoolPolicy.Mode.ENFORCE,
            PoolPolicy.OnOwnerLoss.DENY,
            pods);
    return new Endpoints(
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(EdsServer.create(List.of(policy), new SimpleMeterRegistry()).service())
            .addService(new Forgetting())
            .build()
            .start());
  }

  public int port() {
    return server.getPort();
  }

  @Override
  public void close() {
    server.shutdownNow();
  }

  private static final class Forgetting extends AccessLogServiceGrpc.AccessLogServiceImplBase {

    @Override
    public StreamObserver<StreamAccessLogsMessage> streamAccessLogs(
        StreamObserver<StreamAccessLogsResponse> answers) {
      return new StreamObserver<>() {
        @Override
        public void onNext(StreamAccessLogsMessage message) {}

        @Override
        public void onError(Throwable ended) {}

        @Override
        public void onCompleted() {
          answers.onCompleted();
        }
      };
    }
  }
}
