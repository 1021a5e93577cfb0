package io.connectionledger.ingest.translate;

import com.google.protobuf.Duration;
import com.google.protobuf.Timestamp;
import io.connectionledger.ingest.translate.Translation.Event;
import io.connectionledger.ingest.translate.Translation.Heartbeat;
import io.connectionledger.ingest.translate.Translation.Ignored;
import io.connectionledger.ingest.translate.Translation.Limited;
import io.connectionledger.ingest.translate.Translation.Malformed;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.EnvoyRejection;
import io.connectionledger.model.policy.PoolIndex;
import io.connectionledger.model.policy.PoolPolicy;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.data.accesslog.v3.AccessLogCommon;
import io.envoyproxy.envoy.data.accesslog.v3.AccessLogType;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPAccessLogEntry;
import io.envoyproxy.envoy.data.accesslog.v3.ResponseFlags;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The rules that turn one access-log entry of one Envoy into its {@link Translation}. They see
 * nothing but the entry and what the pools claim; the only memory is that of addresses already
 * parsed. Never throws. Not thread-safe: one per stream.
 *
 * <pre>
 *   TunnelSuccessfullyEstablished   established                            opened
 *   Periodic                        established                            heartbeat
 *   End                             established                            closed
 *   End                             not established, reservation granted   failed
 *   End                             turned away by Envoy itself            failed
 *   End                             turned away before the ledger          limited
 *   anything else                                                          ignored
 * </pre>
 *
 * A stream is established when it was answered with 101. Over HTTP/2 and HTTP/3 the answer may be
 * written as 200, which an ordinary request gets too: there only a reservation tells the two apart.
 */
public final class AccessLogTranslator {

  /** The longest reason that is passed on, in characters. */
  static final int MAX_TEXT = 200;

  private static final String UPGRADE = "upgrade";
  private static final String WEBSOCKET = "websocket";
  private static final String DENIED = "ext_authz_denied";

  /** What a limit ahead of the ledger answers with: see envoy/flood/envoy.yaml. */
  private static final String LIMITED = "x-ledger-limited";

  private static final String UNKNOWN_REASON = "unknown";
  private static final Pattern BREAKS = Pattern.compile("[\\s\\p{Cc}\\p{Zl}\\p{Zp}]+");
  private static final long MAX_TIMESTAMP_SECONDS = 253_402_300_799L;
  private static final long MAX_DURATION_SECONDS = 315_576_000_000L;

  private final String envoy;
  private final Supplier<PoolIndex> index;
  private final PodAddresses pods = new PodAddresses();

  /**
   * @param envoy the node id of the Envoy whose entries these are
   * @param index what the pools claim now
   */
  public AccessLogTranslator(String envoy, Supplier<PoolIndex> index) {
    this.envoy = envoy;
    this.index = index;
  }

  public String envoy() {
    return envoy;
  }

  /**
   * @param receivedAtMs milliseconds since the epoch by our own clock
   */
  public Translation translate(HTTPAccessLogEntry entry, long receivedAtMs) {
    AccessLogType type = entry.getCommonProperties().getAccessLogType();
    try {
      return switch (type) {
        case NotSet ->
            new Malformed(
                DeadLetterCause.FOREIGN,
                "the access log has no types: common_properties.access_log_type is not set");
        case DownstreamTunnelSuccessfullyEstablished, DownstreamPeriodic, DownstreamEnd ->
            translate(type, entry, receivedAtMs);
        default -> Ignored.INSTANCE;
      };
    } catch (UnclaimedException unclaimed) {
      return new Malformed(DeadLetterCause.UNCLAIMED, oneLine(unclaimed.getMessage()));
    } catch (IllegalArgumentException invalid) {
      return new Malformed(DeadLetterCause.MALFORMED, oneLine(invalid.getMessage()));
    }
  }

  private Translation translate(AccessLogType type, HTTPAccessLogEntry entry, long receivedAtMs) {
    AccessLogCommon common = entry.getCommonProperties();
    AdmissionMetadata admission = AdmissionMetadata.of(common);
    if (admission.reservation() == null && isOfAnotherProtocol(entry)) {
      return Ignored.INSTANCE;
    }
    if (!isEstablished(entry, admission)) {
      if (type == AccessLogType.DownstreamEnd && isLimited(entry, admission)) {
        return Limited.INSTANCE;
      }
      return type == AccessLogType.DownstreamEnd
              && (isGranted(entry, admission) || isTurnedAway(entry, admission))
          ? new Event(failed(entry, admission, receivedAtMs))
          : Ignored.INSTANCE;
    }
    String pool = pool(admission, entry);
    String connection = connection(admission, common);
    PodAddress pod = pod(admission, common);
    return switch (type) {
      case DownstreamPeriodic -> new Heartbeat(pool, pod, connection);
      case DownstreamEnd ->
          new Event(
              new ConnectionEvent.Closed(
                  pool,
                  connection,
                  pod,
                  envoy,
                  reason(entry),
                  durationMs(common.getDuration(), common.hasDuration()),
                  receivedAtMs));
      default ->
          new Event(
              new ConnectionEvent.Opened(
                  pool, connection, pod, envoy, startedAtMs(common, receivedAtMs), receivedAtMs));
    };
  }

  /** Envoy upgrades to other protocols, too; an entry that does not log the header says nothing. */
  private static boolean isOfAnotherProtocol(HTTPAccessLogEntry entry) {
    String upgrade = entry.getRequest().getRequestHeadersMap().getOrDefault(UPGRADE, "");
    return !upgrade.isEmpty()
        && Stream.of(upgrade.split(",", -1))
            .noneMatch(each -> each.strip().equalsIgnoreCase(WEBSOCKET));
  }

  private static boolean isEstablished(HTTPAccessLogEntry entry, AdmissionMetadata admission) {
    return switch (entry.getResponse().getResponseCode().getValue()) {
      case 101 -> true;
      case 200 ->
          admission.reservation() != null
              && switch (entry.getProtocolVersion()) {
                case HTTP2, HTTP3 -> true;
                default -> false;
              };
      default -> false;
    };
  }

  /** A rejection may carry its decision's id where a grant carries the reservation. */
  private static boolean isGranted(HTTPAccessLogEntry entry, AdmissionMetadata admission) {
    return admission.reservation() != null
        && !admission.rejected()
        && !entry.getResponse().getResponseCodeDetails().equals(DENIED);
  }

  /**
   * By a limit of Envoy's own, on the way to a pool. Plain requests are, too: they do not count.
   */
  private boolean isTurnedAway(HTTPAccessLogEntry entry, AdmissionMetadata admission) {
    String upgrade = entry.getRequest().getRequestHeadersMap().getOrDefault(UPGRADE, "");
    return upgrade.equalsIgnoreCase(WEBSOCKET)
        && !poolName(admission, entry).isEmpty()
        && EnvoyRejection.of(failure(entry)).isPresent();
  }

  /** So many that a record for each would be what a flood is after. */
  private static boolean isLimited(HTTPAccessLogEntry entry, AdmissionMetadata admission) {
    return admission.reservation() == null
        && entry.getResponse().getResponseHeadersMap().containsKey(LIMITED)
        && EnvoyRejection.of(failure(entry)).isPresent();
  }

  private ConnectionEvent.Failed failed(
      HTTPAccessLogEntry entry, AdmissionMetadata admission, long receivedAtMs) {
    AccessLogCommon common = entry.getCommonProperties();
    int status = entry.getResponse().getResponseCode().getValue();
    return new ConnectionEvent.Failed(
        pool(admission, entry),
        connection(admission, common),
        hasPod(admission, common) ? pod(admission, common) : null,
        envoy,
        status >= 100 && status <= 599 ? status : 0,
        failure(entry),
        client(common),
        receivedAtMs);
  }

  private static @Nullable String client(AccessLogCommon common) {
    Address client = downstream(common);
    return client.hasSocketAddress()
        ? ConnectionIds.client(client.getSocketAddress().getAddress())
        : null;
  }

  private static Address downstream(AccessLogCommon common) {
    return common.hasDownstreamRemoteAddress()
        ? common.getDownstreamRemoteAddress()
        : common.getDownstreamDirectRemoteAddress();
  }

  private String pool(AdmissionMetadata admission, HTTPAccessLogEntry entry) {
    String pool = poolName(admission, entry);
    if (PoolPolicy.isValidName(pool)) {
      return pool;
    }
    if (admission.pool() == null && !pool.isEmpty()) {
      throw new UnclaimedException(
          "upstream_cluster '"
              + shown(pool)
              + "' cannot name a pool, and is in no pool's clusters; neither is the request in the"
              + " hosts of one");
    }
    throw new IllegalArgumentException(
        (admission.pool() == null ? "upstream_cluster '" : "pool '")
            + shown(pool)
            + "' cannot name a pool: allowed are 1 to 128 letters, digits, '.', '_' and '-'");
  }

  /** The cluster is logged only of a stream that had a pod; before that there is only the route. */
  private String poolName(AdmissionMetadata admission, HTTPAccessLogEntry entry) {
    String named = admission.pool();
    if (named != null) {
      return named;
    }
    AccessLogCommon common = entry.getCommonProperties();
    String cluster = common.getUpstreamCluster();
    PoolIndex pools = index.get();
    String claimed = cluster.isEmpty() ? null : pools.byCluster(cluster);
    if (claimed == null) {
      claimed = pools.byRequest(entry.getRequest().getAuthority(), entry.getRequest().getPath());
    }
    if (claimed != null) {
      return claimed;
    }
    return cluster.isEmpty() ? common.getRouteName() : cluster;
  }

  /** No pool claims the cluster of an entry. */
  private static final class UnclaimedException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    UnclaimedException(String message) {
      super(message);
    }
  }

  private String connection(AdmissionMetadata admission, AccessLogCommon common) {
    String reservation = admission.reservation();
    if (reservation == null) {
      return unleased(common);
    }
    if (!ConnectionIds.isValid(reservation)) {
      throw new IllegalArgumentException(
          "reservation '" + shown(reservation) + "' is not an id of this ledger");
    }
    return reservation;
  }

  private String unleased(AccessLogCommon common) {
    Address client = downstream(common);
    Timestamp start = common.getStartTime();
    if (!client.hasSocketAddress() || !common.hasStartTime()) {
      throw new IllegalArgumentException(
          "without a reservation, downstream_remote_address (ip:port) and start_time are needed");
    }
    SocketAddress socket = client.getSocketAddress();
    // Wraps around beyond the year 2262; it still differs from stream to stream.
    long startedAtNanos = start.getSeconds() * 1_000_000_000 + start.getNanos();
    return ConnectionIds.unleased(
        envoy, socket.getAddress() + ':' + socket.getPortValue(), startedAtNanos);
  }

  private static boolean hasPod(AdmissionMetadata admission, AccessLogCommon common) {
    return common.getUpstreamRemoteAddress().hasSocketAddress()
        || (common.hasUpstreamRemoteAddress() && admission.pod() != null);
  }

  /** Behind an internal listener or a Unix socket, Envoy's address says nothing: ours does. */
  private PodAddress pod(AdmissionMetadata admission, AccessLogCommon common) {
    Address address = common.getUpstreamRemoteAddress();
    if (!address.hasSocketAddress()) {
      String placed = admission.pod();
      if (placed != null) {
        return PodAddress.parse(placed);
      }
      throw new IllegalArgumentException(
          "upstream_remote_address is missing or no socket address: allowed is an IP and a port");
    }
    SocketAddress socket = address.getSocketAddress();
    return pods.of(socket.getAddress(), socket.getPortValue());
  }

  private static long startedAtMs(AccessLogCommon common, long receivedAtMs) {
    Timestamp start = common.getStartTime();
    boolean plausible =
        common.hasStartTime()
            && start.getSeconds() >= 0
            && start.getSeconds() <= MAX_TIMESTAMP_SECONDS;
    return plausible ? start.getSeconds() * 1000 + start.getNanos() / 1_000_000 : receivedAtMs;
  }

  private static @Nullable Long durationMs(Duration duration, boolean known) {
    boolean plausible =
        known
            && duration.getSeconds() >= 0
            && duration.getSeconds() <= MAX_DURATION_SECONDS
            && duration.getNanos() >= 0;
    return plausible ? duration.getSeconds() * 1000 + duration.getNanos() / 1_000_000 : null;
  }

  private static String reason(HTTPAccessLogEntry entry) {
    String details = oneLine(entry.getResponse().getResponseCodeDetails());
    return details.isEmpty() ? UNKNOWN_REASON : details;
  }

  /** The reason, after what the response flags say when it does not say so itself. */
  private static String failure(HTTPAccessLogEntry entry) {
    String reason = reason(entry);
    if (EnvoyRejection.of(reason).isPresent()) {
      return reason;
    }
    ResponseFlags flags = entry.getCommonProperties().getResponseFlags();
    if (flags.getUpstreamOverflow()) {
      return flagged(EnvoyRejection.OVERFLOW, reason);
    }
    if (flags.getRateLimited()) {
      return flagged(EnvoyRejection.LOCAL_RATE_LIMITED, reason);
    }
    return flags.getOverloadManager() ? flagged(EnvoyRejection.OVERLOAD, reason) : reason;
  }

  private static String flagged(EnvoyRejection rejection, String reason) {
    return cut(rejection.label() + ": " + reason, MAX_TEXT);
  }

  private static String shown(String value) {
    return cut(value, 60);
  }

  private static String oneLine(@Nullable String text) {
    return text == null ? "" : BREAKS.matcher(cut(text, MAX_TEXT)).replaceAll(" ").strip();
  }

  /** The first characters of {@code text}, never ending in half a character. */
  private static String cut(String text, int max) {
    if (text.length() <= max) {
      return text;
    }
    return text.substring(0, Character.isHighSurrogate(text.charAt(max - 1)) ? max - 1 : max);
  }
}
