package io.connectionledger.ingest;

import com.google.protobuf.Duration;
import com.google.protobuf.Struct;
import com.google.protobuf.Timestamp;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.Value;
import io.connectionledger.ingest.translate.AdmissionMetadata;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.data.accesslog.v3.AccessLogType;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPAccessLogEntry;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPAccessLogEntry.HTTPVersion;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsMessage;
import java.util.List;
import java.util.Map;

/** Access-log entries as Envoy 1.40 writes them for one WebSocket. */
public final class Entries {

  public static final String RESERVATION = "AZxk3r0R5bcdefgh";

  private Entries() {}

  public static HTTPAccessLogEntry opened(String reservation) {
    return leased(AccessLogType.DownstreamTunnelSuccessfullyEstablished, reservation).build();
  }

  public static HTTPAccessLogEntry periodic(String reservation) {
    return leased(AccessLogType.DownstreamPeriodic, reservation).build();
  }

  public static HTTPAccessLogEntry ended(String reservation) {
    return leased(AccessLogType.DownstreamEnd, reservation).build();
  }

  /** An established stream of pool chat with a reservation. */
  public static HTTPAccessLogEntry.Builder leased(AccessLogType type, String reservation) {
    HTTPAccessLogEntry.Builder entry = unleased(type);
    admission(entry, Map.of("pool", "chat", "reservation", reservation, "pod", "10.0.0.7:8080"));
    return entry;
  }

  /** An established stream that was let in while the ledger was away. */
  public static HTTPAccessLogEntry.Builder unleased(AccessLogType type) {
    HTTPAccessLogEntry.Builder entry =
        HTTPAccessLogEntry.newBuilder().setProtocolVersion(HTTPVersion.HTTP11);
    entry
        .getCommonPropertiesBuilder()
        .setAccessLogType(type)
        .setUpstreamCluster("chat")
        .setUpstreamRemoteAddress(address("10.0.0.7", 8080))
        .setDownstreamRemoteAddress(address("192.0.2.1", 40_000))
        .setDownstreamDirectRemoteAddress(address("192.0.2.99", 50_000))
        .setStartTime(Timestamp.newBuilder().setSeconds(1_700_000_000).setNanos(123_456_789))
        .setDuration(Duration.newBuilder().setSeconds(12).setNanos(34_000_000));
    code(entry, 101).getResponseBuilder().setResponseCodeDetails("downstream_remote_disconnect");
    return entry;
  }

  /** A handshake that ended with {@code status} and never reached a pod. */
  public static HTTPAccessLogEntry.Builder refused(int status, String details) {
    HTTPAccessLogEntry.Builder entry = leased(AccessLogType.DownstreamEnd, RESERVATION);
    entry.getCommonPropertiesBuilder().clearUpstreamRemoteAddress();
    code(entry, status).getResponseBuilder().setResponseCodeDetails(details);
    return entry;
  }

  public static HTTPAccessLogEntry.Builder code(HTTPAccessLogEntry.Builder entry, int code) {
    entry.getResponseBuilder().setResponseCode(UInt32Value.of(code));
    return entry;
  }

  public static HTTPAccessLogEntry.Builder admission(
      HTTPAccessLogEntry.Builder entry, Map<String, String> values) {
    Struct.Builder metadata = Struct.newBuilder();
    values.forEach(
        (key, text) -> metadata.putFields(key, Value.newBuilder().setStringValue(text).build()));
    entry
        .getCommonPropertiesBuilder()
        .getMetadataBuilder()
        .putFilterMetadata(AdmissionMetadata.NAMESPACE, metadata.build());
    return entry;
  }

  public static Address address(String ip, int port) {
    return Address.newBuilder()
        .setSocketAddress(SocketAddress.newBuilder().setAddress(ip).setPortValue(port))
        .build();
  }

  public static StreamAccessLogsMessage firstMessage(String node, HTTPAccessLogEntry... entries) {
    StreamAccessLogsMessage.Builder message = message(entries).toBuilder();
    message.getIdentifierBuilder().setLogName("ledger").getNodeBuilder().setId(node);
    return message.build();
  }

  public static StreamAccessLogsMessage message(HTTPAccessLogEntry... entries) {
    StreamAccessLogsMessage.Builder message = StreamAccessLogsMessage.newBuilder();
    message.getHttpLogsBuilder().addAllLogEntry(List.of(entries));
    return message.build();
  }
}
