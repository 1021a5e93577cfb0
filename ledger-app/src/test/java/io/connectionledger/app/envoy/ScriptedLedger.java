package io.connectionledger.app.envoy;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.rpc.Status;
import io.connectionledger.controlplane.EdsServer;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.PoolPolicy;
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
import io.envoyproxy.envoy.service.auth.v3.OkHttpResponse;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
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
public final class ScriptedLedger implements AutoCloseable {

  final List<CheckRequest> checks = new CopyOnWriteArrayList<>();
  final List<HTTPAccessLogEntry> entries = new CopyOnWriteArrayList<>();
  final List<String> nodes = new CopyOnWriteArrayList<>();
  final EdsServer eds;
  private final Server server;
  private volatile Supplier<CheckResponse> answer = ScriptedLedger::pass;
  private volatile Consumer<HTTPAccessLogEntry> listener = entry -> {};

  public ScriptedLedger(Collection<PoolPolicy> pools) throws IOException {
    this(pools, 0);
  }

  ScriptedLedger(Collection<PoolPolicy> pools, int port) throws IOException {
    eds = EdsServer.create(pools);
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
            // Otherwise grpc-java ends a silent stream on the third of Envoy's pings.
            .permitKeepAliveTime(1, TimeUnit.SECONDS)
            .permitKeepAliveWithoutCalls(true)
            .addService(new Authorization())
            .addService(new AccessLog())
            .addService(eds.service())
            .build()
            .start();
  }

  public int port() {
    return server.getPort();
  }

  public void answer(Supplier<CheckResponse> next) {
    answer = next;
  }

  public void onEntry(Consumer<HTTPAccessLogEntry> next) {
    listener = next;
  }

  List<HTTPAccessLogEntry> entries(AccessLogType type) {
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
      try {
        response.onNext(answer.get());
        response.onCompleted();
      } catch (IllegalStateException scripted) {
        response.onError(io.grpc.Status.UNAVAILABLE.asRuntimeException());
      }
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
