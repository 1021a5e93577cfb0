package io.connectionledger.bench.client;

import com.google.protobuf.Duration;
import com.google.protobuf.Struct;
import com.google.protobuf.Timestamp;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.Value;
import io.connectionledger.bench.process.LedgerProcess;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.Metadata;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.data.accesslog.v3.AccessLogCommon;
import io.envoyproxy.envoy.data.accesslog.v3.AccessLogType;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPAccessLogEntry;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPRequestProperties;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPResponseProperties;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsMessage;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsMessage.HTTPAccessLogEntries;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Access-log messages as Envoy writes them for connections that the ledger admitted.
 *
 * @param entries the most in one message; Envoy's buffer decides it there
 */
record AccessLogMessages(int pools, int pods, int entries) {

  private static final String NAMESPACE = "envoy.filters.http.ext_authz";
  private static final int POD_PORT = 8_080;

  /**
   * A connection that was admitted.
   *
   * @param podIp of its pod, which listens on port 8080
   */
  record Admitted(String pool, String podIp, String reservation) {}

  /** The serialized messages that say {@code type} of each connection, in order. */
  List<byte[]> of(List<String> connections, AccessLogType type) {
    return said(
        IntStream.range(0, connections.size())
            .mapToObj(
                i ->
                    new Admitted(
                        LedgerProcess.pool(i % pools),
                        LedgerProcess.podIp(i / pools % pods),
                        connections.get(i)))
            .toList(),
        type,
        entries);
  }

  /** The same of connections that a ledger has placed. */
  static List<byte[]> said(List<Admitted> connections, AccessLogType type, int entries) {
    List<byte[]> messages = new ArrayList<>();
    for (int from = 0; from < connections.size(); from += entries) {
      HTTPAccessLogEntries.Builder logs = HTTPAccessLogEntries.newBuilder();
      for (int i = from; i < Math.min(connections.size(), from + entries); i++) {
        logs.addLogEntry(entry(connections.get(i), i, type));
      }
      messages.add(StreamAccessLogsMessage.newBuilder().setHttpLogs(logs).build().toByteArray());
    }
    return messages;
  }

  private static HTTPAccessLogEntry entry(Admitted connection, int index, AccessLogType type) {
    return HTTPAccessLogEntry.newBuilder()
        .setProtocolVersion(HTTPAccessLogEntry.HTTPVersion.HTTP11)
        .setCommonProperties(
            AccessLogCommon.newBuilder()
                .setAccessLogType(type)
                .setDownstreamRemoteAddress(address("192.0.2.7", 1_024 + index % 60_000))
                .setDownstreamLocalAddress(address("10.1.0.1", 443))
                .setDownstreamDirectRemoteAddress(address("192.0.2.7", 1_024 + index % 60_000))
                .setUpstreamRemoteAddress(address(connection.podIp, POD_PORT))
                .setUpstreamLocalAddress(address("10.1.0.1", 30_000 + index % 30_000))
                .setUpstreamCluster(connection.pool)
                .setRouteName("websocket")
                .setStartTime(Timestamp.newBuilder().setSeconds(1_780_000_000L + index % 1_000))
                .setDuration(Duration.newBuilder().setSeconds(index % 600))
                .setStreamId("6f9e6c5e-4d1c-4e0b-9a53-6c1d8f1b7a10")
                .setMetadata(
                    Metadata.newBuilder()
                        .putFilterMetadata(
                            NAMESPACE,
                            Struct.newBuilder()
                                .putFields("pool", text(connection.pool))
                                .putFields("pod", text(connection.podIp + ":" + POD_PORT))
                                .putFields("reservation", text(connection.reservation))
                                .build())))
        .setRequest(
            HTTPRequestProperties.newBuilder()
                .setScheme("https")
                .setAuthority("chat.example.com")
                .setPath("/chat/rooms/4711")
                .setUserAgent("Mozilla/5.0 (X11; Linux x86_64; rv:140.0)")
                .setRequestId("6f9e6c5e-4d1c-4e0b-9a53-6c1d8f1b7a10"))
        .setResponse(
            HTTPResponseProperties.newBuilder()
                .setResponseCode(UInt32Value.of(101))
                .setResponseCodeDetails(
                    type == AccessLogType.DownstreamEnd
                        ? "downstream_remote_disconnect"
                        : "via_upstream"))
        .build();
  }

  private static Address address(String ip, int port) {
    return Address.newBuilder()
        .setSocketAddress(SocketAddress.newBuilder().setAddress(ip).setPortValue(port))
        .build();
  }

  private static Value text(String value) {
    return Value.newBuilder().setStringValue(value).build();
  }
}
