package io.connectionledger.app.training;

import com.google.protobuf.Struct;
import com.google.protobuf.Timestamp;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.Value;
import io.connectionledger.model.PodAddress;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.data.accesslog.v3.AccessLogType;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPAccessLogEntry;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPAccessLogEntry.HTTPVersion;
import io.envoyproxy.envoy.service.accesslog.v3.AccessLogServiceGrpc;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsMessage;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsResponse;
import io.grpc.Channel;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An access-log stream as one worker of an Envoy has it. For one thread. */
final class TrainingLog implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(TrainingLog.class);
  private static final int SWITCHING_PROTOCOLS = 101;
  private static final int UNAVAILABLE = 503;

  private static final long END_SECONDS = 10;

  private final StreamObserver<StreamAccessLogsMessage> stream;
  private final CountDownLatch ended = new CountDownLatch(1);

  TrainingLog(Channel channel, String node) {
    stream = AccessLogServiceGrpc.newStub(channel).streamAccessLogs(new Answer());
    StreamAccessLogsMessage.Builder first = StreamAccessLogsMessage.newBuilder();
    first.getIdentifierBuilder().setLogName("connection-ledger").getNodeBuilder().setId(node);
    stream.onNext(first.build());
  }

  void opened(List<Admitted> connections) {
    send(AccessLogType.DownstreamTunnelSuccessfullyEstablished, SWITCHING_PROTOCOLS, connections);
  }

  void alive(List<Admitted> connections) {
    send(AccessLogType.DownstreamPeriodic, SWITCHING_PROTOCOLS, connections);
  }

  void closed(List<Admitted> connections) {
    send(AccessLogType.DownstreamEnd, SWITCHING_PROTOCOLS, connections);
  }

  /** The pods refuse the handshakes. */
  void failed(List<Admitted> connections) {
    send(AccessLogType.DownstreamEnd, UNAVAILABLE, connections);
  }

  private void send(AccessLogType type, int status, List<Admitted> connections) {
    StreamAccessLogsMessage.Builder message = StreamAccessLogsMessage.newBuilder();
    connections.forEach(
        connection -> message.getHttpLogsBuilder().addLogEntry(entry(type, status, connection)));
    stream.onNext(message.build());
  }

  private static HTTPAccessLogEntry entry(AccessLogType type, int status, Admitted connection) {
    HTTPAccessLogEntry.Builder entry =
        HTTPAccessLogEntry.newBuilder().setProtocolVersion(HTTPVersion.HTTP11);
    entry
        .getResponseBuilder()
        .setResponseCode(UInt32Value.of(status))
        .setResponseCodeDetails("via_upstream");
    entry.getRequestBuilder().setAuthority("chat.example.com").setPath("/rooms/4711");
    entry
        .getCommonPropertiesBuilder()
        .setAccessLogType(type)
        .setDownstreamRemoteAddress(address(new PodAddress("192.0.2.7", 40_000)))
        .setUpstreamCluster(connection.pool())
        .setUpstreamRemoteAddress(address(connection.pod()))
        .setStartTime(Timestamp.newBuilder().setSeconds(1_780_000_000L))
        .getMetadataBuilder()
        .putFilterMetadata(
            "envoy.filters.http.ext_authz",
            Struct.newBuilder()
                .putFields("pool", text(connection.pool()))
                .putFields("pod", text(connection.pod().toString()))
                .putFields("reservation", text(connection.reservation()))
                .build());
    return entry.build();
  }

  private static Value text(String value) {
    return Value.newBuilder().setStringValue(value).build();
  }

  private static Address address(PodAddress pod) {
    return Address.newBuilder()
        .setSocketAddress(SocketAddress.newBuilder().setAddress(pod.ip()).setPortValue(pod.port()))
        .build();
  }

  /** Waits until the service has got all of it. */
  @Override
  public void close() throws InterruptedException {
    stream.onCompleted();
    if (!ended.await(END_SECONDS, TimeUnit.SECONDS)) {
      LOGGER.atWarn().log("The access log did not end");
    }
  }

  /** The service answers when the stream ends, and says nothing. */
  private final class Answer implements StreamObserver<StreamAccessLogsResponse> {

    @Override
    public void onNext(StreamAccessLogsResponse response) {
      LOGGER.atDebug().log("The access log was answered");
    }

    @Override
    public void onError(Throwable failure) {
      LOGGER.atWarn().setCause(failure).log("The access log broke");
      ended.countDown();
    }

    @Override
    public void onCompleted() {
      ended.countDown();
    }
  }
}
