package io.connectionledger.ingest;

import com.google.protobuf.Message;
import io.connectionledger.ingest.translate.AccessLogTranslator;
import io.connectionledger.ingest.translate.DeadLetterCause;
import io.connectionledger.ingest.translate.ReadableLogs;
import io.connectionledger.model.LogRateLimiter;
import io.connectionledger.model.NodeId;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.policy.PoolIndex;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPAccessLogEntry;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsMessage;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsResponse;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * One access-log stream of one Envoy worker. It pulls: a message is asked for when Kafka has
 * everything of the one before, so that a slow Kafka slows Envoy down and no memory fills up.
 *
 * <p>gRPC calls the {@code on…} methods one at a time; {@link #settle} also runs on Kafka's thread.
 */
final class AccessLogObserver implements StreamObserver<ReadableLogs.Received> {

  private static final Logger LOGGER = LoggerFactory.getLogger(AccessLogObserver.class);

  private final ServerCallStreamObserver<StreamAccessLogsResponse> responses;
  private final EventPublisher publisher;
  private final Supplier<PoolIndex> pools;
  private final Ticker ticker;
  private final IngestMetrics metrics;
  private final PresenceBeacon presence;
  private final NodeIds nodeIds;

  /** What is said of streams that come and go, of all of them. */
  private final LogRateLimiter lines;

  private final MessagePace pace;

  /** Records that Kafka has not settled yet, and one for a message that is being worked on. */
  private final AtomicInteger unsettled = new AtomicInteger();

  private final AtomicBoolean answered = new AtomicBoolean();
  private volatile boolean clientDone;

  /** Null until the first message has named the Envoy. */
  private @Nullable AccessLogTranslator translator;

  private NodeIds.@Nullable Stream node;
  private final DeadLetterLimit repeated = new DeadLetterLimit();

  private boolean ended;

  AccessLogObserver(
      ServerCallStreamObserver<StreamAccessLogsResponse> responses,
      EventPublisher publisher,
      Supplier<PoolIndex> pools,
      Ticker ticker,
      IngestMetrics metrics,
      PresenceBeacon presence,
      NodeIds nodeIds,
      LogRateLimiter lines) {
    this.lines = lines;
    this.pace = new MessagePace(ticker);
    this.nodeIds = nodeIds;
    this.responses = responses;
    this.publisher = publisher;
    this.pools = pools;
    this.ticker = ticker;
    this.metrics = metrics;
    this.presence = presence;
  }

  /** Asks for the first message. */
  void start() {
    metrics.streamOpened();
    responses.request(1);
  }

  @Override
  public void onNext(ReadableLogs.Received received) {
    if (ended) {
      return;
    }
    slowDown();
    StreamAccessLogsMessage message = received.message();
    AccessLogTranslator current = translator;
    if (current == null) {
      String id = message.getIdentifier().getNode().getId();
      if (!NodeId.isValid(id)) {
        refuse(id);
        return;
      }
      String tooMany = presence.attached(id);
      if (tooMany != null) {
        refuse(Status.RESOURCE_EXHAUSTED, tooMany, NodeIds.Refusal.TOO_MANY);
        return;
      }
      current = new AccessLogTranslator(id, pools);
      translator = current;
      node = nodeIds.opened(id, message.getIdentifier().getLogName());
      if (lines.passes()) {
        LOGGER
            .atInfo()
            .addKeyValue("envoy", id)
            .addKeyValue("log", NodeIds.beginning(message.getIdentifier().getLogName()))
            .log("Envoy opened an access-log stream");
      }
    }
    presence.came(this);
    unsettled.incrementAndGet();
    try {
      publish(message, current);
      if (received.mended()) {
        publishMended(message, current.envoy());
      }
      watchNodeId(message);
    } finally {
      // Whatever becomes of this stream: no lease runs until it is settled.
      settle();
    }
  }

  /** On this stream's own thread; nothing is asked for meanwhile, so Envoy waits, too. */
  private void slowDown() {
    long waitNanos = pace.nanosUntilNext();
    if (waitNanos > 0) {
      metrics.slowedDown();
      LockSupport.parkNanos(waitNanos);
    }
  }

  /** One is enough to look at, and tells which client it is. */
  private void publishMended(StreamAccessLogsMessage message, String envoy) {
    Message first =
        message.getHttpLogs().getLogEntryList().stream()
            .filter(ReadableLogs::isMended)
            .findFirst()
            .map(Message.class::cast)
            .orElse(message.getHttpLogs());
    publish(
        new DeadLetter(
            DeadLetterCause.NOT_UTF8,
            "a string is not UTF-8: the entry was read with U+FFFD in the place of each bad byte",
            first),
        envoy);
  }

  private void watchNodeId(StreamAccessLogsMessage message) {
    NodeIds.Stream stream = node;
    if (stream != null) {
      for (HTTPAccessLogEntry entry : message.getHttpLogs().getLogEntryList()) {
        stream.saw(entry.getCommonProperties());
        if (stream.isKnown()) {
          break;
        }
      }
    }
  }

  private void publish(StreamAccessLogsMessage message, AccessLogTranslator current) {
    if (message.hasTcpLogs()) {
      publish(
          new DeadLetter(
              DeadLetterCause.TCP,
              "tcp_logs: allowed is the access log of an HTTP connection manager",
              message.getTcpLogs()),
          current.envoy());
    }
    AccessLogBatch batch =
        AccessLogBatch.of(current, message.getHttpLogs().getLogEntryList(), ticker.nowMs());
    metrics.limited(batch.limited());
    for (ConnectionEvent event : batch.events()) {
      unsettled.incrementAndGet();
      publisher.publish(event, this::settle);
    }
    for (DeadLetter letter : batch.deadLetters()) {
      publish(letter, current.envoy());
    }
  }

  private void publish(DeadLetter letter, String envoy) {
    if (!repeated.passes(letter, ticker.nowNanos())) {
      metrics.deadLetter(letter.cause());
      return;
    }
    unsettled.incrementAndGet();
    publisher.publish(letter, envoy, this::settle);
  }

  private void settle() {
    if (unsettled.decrementAndGet() > 0) {
      return;
    }
    // Before the next is asked for, which may come at once.
    presence.settled(this);
    if (!clientDone) {
      responses.request(1);
    } else if (answered.compareAndSet(false, true)) {
      responses.onNext(StreamAccessLogsResponse.getDefaultInstance());
      responses.onCompleted();
    }
  }

  private void refuse(String id) {
    boolean tooLong = id.length() > NodeId.MAX_LENGTH;
    String found =
        id.isEmpty()
            ? "is missing"
            : tooLong ? "has " + id.length() + " characters" : "has characters that do not print";
    String problem =
        "identifier.node.id of the stream's first message "
            + found
            + ": allowed are "
            + NodeId.ALLOWED;
    NodeIds.Refusal refusal =
        id.isEmpty()
            ? NodeIds.Refusal.MISSING
            : tooLong ? NodeIds.Refusal.TOO_LONG : NodeIds.Refusal.NOT_PRINTABLE;
    refuse(Status.INVALID_ARGUMENT, problem, refusal);
  }

  private void refuse(Status status, String problem, NodeIds.Refusal refusal) {
    nodeIds.refused(problem, refusal);
    end();
    responses.onError(status.withDescription(problem).asRuntimeException());
  }

  @Override
  public void onError(Throwable failure) {
    boolean expected = Status.fromThrowable(failure).getCode() == Status.Code.CANCELLED;
    if (!ended && lines.passes()) {
      LOGGER
          .atLevel(expected ? Level.INFO : Level.WARN)
          .addKeyValue("envoy", translator == null ? "" : translator.envoy())
          .addKeyValue("status", Status.fromThrowable(failure))
          .log("Access-log stream ended");
    }
    end();
  }

  /** Answers when Kafka has the last message, so that OK means that nothing is pending. */
  @Override
  public void onCompleted() {
    end();
    unsettled.incrementAndGet();
    clientDone = true;
    settle();
  }

  private void end() {
    if (!ended) {
      ended = true;
      metrics.streamEnded();
      if (translator != null) {
        presence.detached(translator.envoy());
      }
      if (node != null) {
        node.close();
      }
    }
  }
}
