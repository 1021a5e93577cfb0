package io.connectionledger.streams.topology;

import io.connectionledger.model.Ticker;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.kafka.KafkaStreamsMetrics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.CloseOptions.GroupMembershipOperation;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.errors.ProcessorStateException;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs Kafka Streams. When its local state cannot be read, it leaves that state behind and runs
 * another, which restores its stores from the changelogs. Thread-safe.
 */
final class RestorableStreams {

  private static final Logger LOGGER = LoggerFactory.getLogger(RestorableStreams.class);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(12);

  private final StateGenerations state;
  private final Function<Path, KafkaStreams> wiring;
  private final MeterRegistry registry;
  private final Runnable onReplaced;
  private volatile KafkaStreams streams;
  private KafkaStreamsMetrics metrics;
  private boolean stopped;
  private final RestartPauses pauses;
  private final CountDownLatch stopping = new CountDownLatch(1);

  /**
   * Wires it; {@link #start} runs it.
   *
   * @param stateDir where the stores live; ours alone, one process at a time
   * @param wiring makes it, with its state in the given folder
   * @param onReplaced runs when another has taken its place, before that one starts
   */
  RestorableStreams(
      Path stateDir,
      Function<Path, KafkaStreams> wiring,
      MeterRegistry registry,
      Ticker ticker,
      Runnable onReplaced) {
    pauses = new RestartPauses(ticker);
    this.state = new StateGenerations(stateDir);
    this.wiring = wiring;
    this.registry = registry;
    this.onReplaced = onReplaced;
    streams = wire();
    metrics = new KafkaStreamsMetrics(streams);
  }

  /** The one that runs now. */
  KafkaStreams current() {
    return streams;
  }

  private KafkaStreams wire() {
    KafkaStreams wired = wiring.apply(state.current());
    wired.setUncaughtExceptionHandler(failure -> failed(wired, failure));
    return wired;
  }

  synchronized void start() {
    try {
      begin();
    } catch (ProcessorStateException failed) {
      // Kafka Streams opens here what it finds on disk, and the rest when it gets the partitions.
      replace(failed);
      begin();
    }
  }

  private void begin() {
    metrics.bindTo(registry);
    streams.start();
  }

  /** Ends it, after some seconds at most; state stays on disk. */
  void stop(GroupMembershipOperation membership) {
    stopping.countDown();
    synchronized (this) {
      stopped = true;
      end(membership);
    }
  }

  private void end(GroupMembershipOperation membership) {
    metrics.close();
    if (!streams.close(
        CloseOptions.timeout(STOP_TIMEOUT).withGroupMembershipOperation(membership))) {
      LOGGER.atWarn().addKeyValue("timeout", STOP_TIMEOUT).log("Streams did not stop in time");
    }
  }

  private StreamThreadExceptionResponse failed(KafkaStreams failed, Throwable failure) {
    Throwable denied = cause(failure, AuthorizationException.class);
    if (denied != null || cause(failure, ProcessorStateException.class) == null) {
      Duration pause = pauses.next();
      if (denied != null) {
        LOGGER
            .atError()
            .addKeyValue("pause", pause)
            .addKeyValue("reason", denied.getMessage())
            .log("Kafka does not allow what the topology does (docs/kafka.md), trying again");
      } else {
        LOGGER
            .atError()
            .addKeyValue("pause", pause)
            .setCause(failure)
            .log("Stream thread failed, starting another");
      }
      pause(pause);
      return StreamThreadExceptionResponse.REPLACE_THREAD;
    }
    // Not by this thread, which the shutdown waits for.
    Thread.ofPlatform().daemon().name("state-rebuild").start(() -> rebuild(failed, failure));
    return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
  }

  /** On the thread that failed, which the next one waits for. */
  private void pause(Duration pause) {
    try {
      if (stopping.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
        LOGGER.atDebug().log("Stopped while a stream thread was to be replaced");
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  private static @Nullable Throwable cause(Throwable failure, Class<?> type) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (type.isInstance(cause)) {
        return cause;
      }
    }
    return null;
  }

  private synchronized void rebuild(KafkaStreams failed, Throwable failure) {
    if (!stopped && streams.equals(failed)) {
      replace(failure);
      begin();
    }
  }

  private void replace(Throwable failure) {
    LOGGER
        .atError()
        .addKeyValue("directory", state.current())
        .setCause(failure)
        .log("The local state cannot be read, restoring another from the changelogs");
    end(GroupMembershipOperation.REMAIN_IN_GROUP);
    state.next();
    streams = wire();
    metrics = new KafkaStreamsMetrics(streams);
    onReplaced.run();
  }
}
