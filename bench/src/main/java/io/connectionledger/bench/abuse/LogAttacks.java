package io.connectionledger.bench.abuse;

import com.google.protobuf.Struct;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.Value;
import io.connectionledger.bench.process.LedgerProcess;
import io.connectionledger.bench.process.LedgerProcess.Ports;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.Metadata;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.data.accesslog.v3.AccessLogCommon;
import io.envoyproxy.envoy.data.accesslog.v3.AccessLogType;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPAccessLogEntry;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPResponseProperties;
import io.envoyproxy.envoy.service.accesslog.v3.AccessLogServiceGrpc;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsMessage;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsResponse;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Against the access-log service. */
final class LogAttacks {

  private static final int ENTRIES = 100;

  /** More on one connection wait in the client. */
  private static final int STREAMS_OF_A_CONNECTION = 5_000;

  private LogAttacks() {}

  static long run(Attack attack, Ports ports, Deadline done) {
    List<ManagedChannel> channels = new ArrayList<>();
    try {
      return attack == Attack.FORGED_FAILURES
          ? oneStream(attack, channel(ports, channels), done)
          : manyStreams(attack, ports, channels, done);
    } finally {
      channels.forEach(ManagedChannel::shutdownNow);
    }
  }

  private static ManagedChannel channel(Ports ports, List<ManagedChannel> channels) {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", ports.als()).usePlaintext().build();
    channels.add(channel);
    return channel;
  }

  private static long oneStream(Attack attack, ManagedChannel channel, Deadline done) {
    var log = open(channel);
    long sent = 0;
    while (!done.isOver()) {
      if (log.isReady()) {
        log.onNext(message(attack, "attacker", sent));
        sent += ENTRIES;
      } else {
        done.pause(Duration.ofMillis(1));
      }
    }
    return sent;
  }

  private static long manyStreams(
      Attack attack, Ports ports, List<ManagedChannel> channels, Deadline done) {
    long streams = 0;
    while (!done.isOver()) {
      if (streams % STREAMS_OF_A_CONNECTION == 0) {
        ManagedChannel unused = channel(ports, channels);
      }
      var log = open(channels.getLast());
      if (attack != Attack.IDLE_STREAMS) {
        log.onNext(message(attack, "invented-" + streams, streams * ENTRIES));
      }
      streams++;
      done.pause(Duration.ofMillis(attack == Attack.HUGE_MESSAGES ? 20 : 1));
    }
    return streams;
  }

  private static ClientCallStreamObserver<StreamAccessLogsMessage> open(ManagedChannel channel) {
    return (ClientCallStreamObserver<StreamAccessLogsMessage>)
        AccessLogServiceGrpc.newStub(channel).streamAccessLogs(new Ignoring());
  }

  private static StreamAccessLogsMessage message(Attack attack, String node, long first) {
    StreamAccessLogsMessage.Builder message =
        StreamAccessLogsMessage.newBuilder()
            .setIdentifier(
                StreamAccessLogsMessage.Identifier.newBuilder()
                    .setLogName(attack == Attack.HUGE_MESSAGES ? "x".repeat(8 << 20) : "abuse")
                    .setNode(Node.newBuilder().setId(node)));
    for (int i = 0; i < ENTRIES && attack != Attack.HUGE_MESSAGES; i++) {
      message.getHttpLogsBuilder().addLogEntry(entry(attack, first + i));
    }
    return message.build();
  }

  private static HTTPAccessLogEntry entry(Attack attack, long number) {
    boolean failed = attack == Attack.FORGED_FAILURES;
    Address pod =
        Address.newBuilder()
            .setSocketAddress(
                SocketAddress.newBuilder().setAddress(LedgerProcess.podIp(0)).setPortValue(8_080))
            .build();
    Struct admission =
        Struct.newBuilder()
            .putFields("pool", text(LedgerProcess.pool(0)))
            .putFields("reservation", text("forged-" + number))
            .build();
    return HTTPAccessLogEntry.newBuilder()
        .setCommonProperties(
            AccessLogCommon.newBuilder()
                .setAccessLogType(
                    failed ? AccessLogType.DownstreamEnd : AccessLogType.DownstreamPeriodic)
                .setDownstreamRemoteAddress(pod)
                .setUpstreamRemoteAddress(pod)
                .setMetadata(
                    Metadata.newBuilder()
                        .putFilterMetadata("envoy.filters.http.ext_authz", admission)))
        .setResponse(
            HTTPResponseProperties.newBuilder()
                .setResponseCode(UInt32Value.of(failed ? 503 : 101))
                .setResponseCodeDetails("via_upstream"))
        .build();
  }

  private static Value text(String value) {
    return Value.newBuilder().setStringValue(value).build();
  }

  private static final class Ignoring implements StreamObserver<StreamAccessLogsResponse> {
    @Override
    public void onNext(StreamAccessLogsResponse response) {
      // It says nothing.
    }

    @Override
    public void onError(Throwable refused) {
      // What is hoped for.
    }

    @Override
    public void onCompleted() {
      // As above.
    }
  }
}
