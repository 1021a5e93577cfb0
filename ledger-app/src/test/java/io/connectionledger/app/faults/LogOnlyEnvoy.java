package io.connectionledger.app.faults;

import com.google.protobuf.Struct;
import com.google.protobuf.Timestamp;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.Value;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.event.ConnectionIds;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.data.accesslog.v3.AccessLogType;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPAccessLogEntry;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPAccessLogEntry.HTTPVersion;
import io.envoyproxy.envoy.service.accesslog.v3.AccessLogServiceGrpc;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsMessage;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsResponse;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * An Envoy that is nothing but its access log, for more connections than a machine has sockets.
 * Like Envoy it repeats every open connection once a heartbeat, spread over it, loses what it sends
 * while the log service is away, and connects again at once. Thread-safe.
 */
public final class LogOnlyEnvoy implements AutoCloseable {

  private static final int ENTRIES_A_MESSAGE = 500;
  private static final int TICKS_A_HEARTBEAT = 50;

  private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
  private final ManagedChannel channel;
  private final String node;
  private final String pool;
  private final List<PodAddress> pods;
  private final Ticker ticker = Ticker.system();

  /** Ids of what is open; those of pod p are the ones at i with i % pods == p. */
  private final List<String> open = new ArrayList<>();

  private @Nullable LogStream stream;
  private int next;

  public LogOnlyEnvoy(
      int alsPort, String node, String pool, List<PodAddress> pods, Duration heartbeat) {
    this.node = node;
    this.pool = pool;
    this.pods = List.copyOf(pods);
    this.channel = NettyChannelBuilder.forAddress("127.0.0.1", alsPort).usePlaintext().build();
    Future<?> unused =
        clock.scheduleAtFixedRate(
            this::beat, 0, heartbeat.toMillis() / TICKS_A_HEARTBEAT, TimeUnit.MILLISECONDS);
  }

  /** Opens that many more, evenly over the pods. */
  public synchronized void open(int count) {
    int first = open.size();
    for (int i = 0; i < count; i++) {
      open.add(ConnectionIds.next(ticker.nowMs()));
    }
    send(AccessLogType.DownstreamTunnelSuccessfullyEstablished, first, open.size());
  }

  /** Closes the {@code count} that were opened last. */
  synchronized void close(int count) {
    int left = open.size() - count;
    send(AccessLogType.DownstreamEnd, left, open.size());
    open.subList(left, open.size()).clear();
    next = 0;
  }

  /** What the pods would count. */
  synchronized Map<PodAddress, Integer> counts() {
    Map<PodAddress, Integer> counts = new HashMap<>();
    for (int pod = 0; pod < pods.size(); pod++) {
      counts.put(pods.get(pod), (open.size() + pods.size() - 1 - pod) / pods.size());
    }
    return counts;
  }

  private synchronized void beat() {
    int count = Math.ceilDiv(open.size(), TICKS_A_HEARTBEAT);
    int end = Math.min(open.size(), next + count);
    send(AccessLogType.DownstreamPeriodic, next, end);
    next = end == open.size() ? 0 : end;
  }

  private void send(AccessLogType type, int from, int to) {
    for (int start = from; start < to; start += ENTRIES_A_MESSAGE) {
      StreamAccessLogsMessage.Builder message = StreamAccessLogsMessage.newBuilder();
      for (int i = start; i < Math.min(to, start + ENTRIES_A_MESSAGE); i++) {
        message.getHttpLogsBuilder().addLogEntry(entry(type, i));
      }
      send(message);
    }
  }

  private void send(StreamAccessLogsMessage.Builder message) {
    LogStream current = stream;
    if (current == null || current.broken()) {
      channel.resetConnectBackoff();
      current = new LogStream();
      AccessLogServiceGrpc.newStub(channel).streamAccessLogs(current);
      message.getIdentifierBuilder().setLogName("connection-ledger").getNodeBuilder().setId(node);
      stream = current;
    }
    current.send(message.build());
  }

  private HTTPAccessLogEntry entry(AccessLogType type, int index) {
    HTTPAccessLogEntry.Builder entry =
        HTTPAccessLogEntry.newBuilder().setProtocolVersion(HTTPVersion.HTTP11);
    entry.getResponseBuilder().setResponseCode(UInt32Value.of(101));
    entry
        .getCommonPropertiesBuilder()
        .setAccessLogType(type)
        .setUpstreamCluster(pool)
        .setUpstreamRemoteAddress(address(pods.get(index % pods.size())))
        .setStartTime(Timestamp.newBuilder().setSeconds(ticker.nowMs() / 1000))
        .getMetadataBuilder()
        .putFilterMetadata(
            "envoy.filters.http.ext_authz",
            Struct.newBuilder()
                .putFields("pool", text(pool))
                .putFields("reservation", text(open.get(index)))
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

  @Override
  public void close() {
    clock.shutdownNow();
    channel.shutdownNow();
  }

  /** One stream, which is written no faster than it is read. */
  private static final class LogStream
      implements ClientResponseObserver<StreamAccessLogsMessage, StreamAccessLogsResponse> {

    private @Nullable ClientCallStreamObserver<StreamAccessLogsMessage> call;
    private boolean broken;

    @Override
    public synchronized void beforeStart(
        ClientCallStreamObserver<StreamAccessLogsMessage> started) {
      call = started;
      started.setOnReadyHandler(this::wake);
    }

    private synchronized void wake() {
      notifyAll();
    }

    synchronized void send(StreamAccessLogsMessage message) {
      try {
        while (!broken && call != null && !call.isReady()) {
          wait();
        }
        if (!broken && call != null) {
          call.onNext(message);
        }
      } catch (InterruptedException closing) {
        Thread.currentThread().interrupt();
      }
    }

    synchronized boolean broken() {
      return broken;
    }

    @Override
    public void onNext(StreamAccessLogsResponse response) {
      // The service answers when the stream ends, and says nothing.
    }

    @Override
    public synchronized void onError(Throwable failure) {
      broken = true;
      notifyAll();
    }

    @Override
    public synchronized void onCompleted() {
      broken = true;
      notifyAll();
    }
  }
}
