package io.connectionledger.app.envoy;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.rpc.Status;
import io.connectionledger.controlplane.EdsServer;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.policy.PoolPolicy;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.data.accesslog.v3.AccessLogType;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPAccessLogEntry;
import io.envoyproxy.envoy.service.accesslog.v3.AccessLogServiceGrpc;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsMessage;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsResponse;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.envoyproxy.envoy.service.auth.v3.DeniedHttpResponse;
import io.envoyproxy.envoy.service.auth.v3.OkHttpResponse;
import io.envoyproxy.envoy.type.v3.HttpStatus;
import io.envoyproxy.envoy.type.v3.StatusCode;
import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Stands where the ledger would, so that these tests show what Envoy itself does. */
public final class LedgerStandIn implements AutoCloseable {

  public final List<CheckRequest> checks = new CopyOnWriteArrayList<>();
  public final List<HTTPAccessLogEntry> entries = new CopyOnWriteArrayList<>();
  public final List<String> nodes = new CopyOnWriteArrayList<>();
  public final EdsServer eds;
  public final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final Server server;
  public final SpoiltEndpoints spoiler = new SpoiltEndpoints();
  private volatile Supplier<CheckResponse> answer = LedgerStandIn::pass;
  private volatile Consumer<HTTPAccessLogEntry> listener = entry -> {};
  private volatile ServingStatus health = ServingStatus.SERVING;
  private volatile boolean silent;

  public LedgerStandIn(Collection<PoolPolicy> pools) throws IOException {
    this(pools, 0);
  }

  public LedgerStandIn(Collection<PoolPolicy> pools, int port) throws IOException {
    eds = EdsServer.create(pools, registry);
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
            // Otherwise grpc-java ends a silent stream on the third of Envoy's pings.
            .permitKeepAliveTime(1, TimeUnit.SECONDS)
            .permitKeepAliveWithoutCalls(true)
            .addService(new Authorization())
            .addService(new AccessLog())
            .addService(new Health())
            .addService(ServerInterceptors.intercept(eds.service(), spoiler))
            .build()
            .start();
  }

  public int port() {
    return server.getPort();
  }

  public void answer(Supplier<CheckResponse> next) {
    answer = next;
  }

  /** Takes checks from now on and answers none. */
  public void fallSilent() {
    silent = true;
  }

  /** Says of itself from now on that it does not serve; checks are answered all the same. */
  public void notServing() {
    health = ServingStatus.NOT_SERVING;
  }

  public void onEntry(Consumer<HTTPAccessLogEntry> next) {
    listener = next;
  }

  public List<HTTPAccessLogEntry> entries(AccessLogType type) {
    List<HTTPAccessLogEntry> found = new ArrayList<>(entries);
    found.removeIf(entry -> entry.getCommonProperties().getAccessLogType() != type);
    return found;
  }

  public static CheckResponse place(PodAddress pod, String reservation) {
    String encoded =
        Base64.getEncoder().encodeToString(pod.toString().getBytes(StandardCharsets.UTF_8));
    return CheckResponse.newBuilder()
        .setStatus(Status.newBuilder().setCode(0))
        .setOkResponse(
            OkHttpResponse.newBuilder()
                .addHeaders(
                    HeaderValueOption.newBuilder()
                        .setAppendAction(
                            HeaderValueOption.HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD)
                        .setHeader(
                            HeaderValue.newBuilder().setKey("x-ledger-pod").setValue(encoded))))
        .setDynamicMetadata(
            Struct.newBuilder()
                .putFields("pod", text(pod.toString()))
                .putFields("reservation", text(reservation))
                .putFields("pool", text("chat")))
        .build();
  }

  /** Allowed, but placed nowhere: Envoy chooses. */
  static CheckResponse pass() {
    return CheckResponse.newBuilder()
        .setStatus(Status.newBuilder().setCode(0))
        .setOkResponse(OkHttpResponse.newBuilder())
        .build();
  }

  /** Rejected, as for want of room. */
  static CheckResponse reject() {
    return CheckResponse.newBuilder()
        .setStatus(Status.newBuilder().setCode(7))
        .setDeniedResponse(
            DeniedHttpResponse.newBuilder()
                .setStatus(HttpStatus.newBuilder().setCode(StatusCode.ServiceUnavailable)))
        .build();
  }

  private static Value text(String value) {
    return Value.newBuilder().setStringValue(value).build();
  }

  @Override
  public void close() {
    server.shutdownNow();
  }

  private final class Authorization extends AuthorizationGrpc.AuthorizationImplBase {
    @Override
    public void check(CheckRequest request, StreamObserver<CheckResponse> response) {
      checks.add(request);
      if (silent) {
        return;
      }
      try {
        response.onNext(answer.get());
        response.onCompleted();
      } catch (IllegalStateException scripted) {
        response.onError(io.grpc.Status.UNAVAILABLE.asRuntimeException());
      }
    }
  }

  private final class Health extends HealthGrpc.HealthImplBase {
    @Override
    public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> response) {
      response.onNext(HealthCheckResponse.newBuilder().setStatus(health).build());
      response.onCompleted();
    }
  }

  private final class AccessLog extends AccessLogServiceGrpc.AccessLogServiceImplBase {
    @Override
    public StreamObserver<StreamAccessLogsMessage> streamAccessLogs(
        StreamObserver<StreamAccessLogsResponse> response) {
      return new StreamObserver<>() {
        @Override
        public void onNext(StreamAccessLogsMessage message) {
          if (message.hasIdentifier()) {
            nodes.add(message.getIdentifier().getNode().getId());
          }
          entries.addAll(message.getHttpLogs().getLogEntryList());
          message.getHttpLogs().getLogEntryList().forEach(listener);
        }

        @Override
        public void onError(Throwable failure) {
          // An Envoy that ends does not say goodbye.
        }

        @Override
        public void onCompleted() {
          response.onCompleted();
        }
      };
    }
  }
}
