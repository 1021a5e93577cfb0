package io.connectionledger.streams.simulation;

import io.connectionledger.model.Ticker;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.Simulation;
import io.connectionledger.model.view.SimulationRefusedException;
import io.connectionledger.model.view.SimulationRefusedException.Why;
import io.connectionledger.model.view.Simulations;
import io.connectionledger.streams.history.HistoryUnavailableException;
import io.connectionledger.streams.history.TopicHistory;
import io.connectionledger.streams.history.TopicHistory.Gaps;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/**
 * {@link Simulations} from the topics: any instance answers for any pool, from what Kafka still
 * has. One at a time, bounded in records, steps and time. Thread-safe.
 */
public final class TopicSimulations implements Simulations {

  /**
   * At least so much is read before the window, so that it begins with the connections that were
   * open; two leases when they are longer.
   */
  private static final Duration WARM_UP = Duration.ofMinutes(5);

  private static final Bounds BOUNDS = new Bounds(5_000_000, 500_000, Duration.ofSeconds(30));

  private final Supplier<TopicHistory> histories;
  private final LeaseTerms terms;
  private final Ticker ticker;
  private final Bounds bounds;
  private final Semaphore turns = new Semaphore(1);

  /**
   * What one simulation may cost.
   *
   * @param records that are read
   * @param steps that are kept, some 150 bytes each
   */
  record Bounds(long records, int steps, Duration time) {}

  TopicSimulations(
      Supplier<TopicHistory> histories, LeaseTerms terms, Ticker ticker, Bounds bounds) {
    this.histories = histories;
    this.terms = terms;
    this.ticker = ticker;
    this.bounds = bounds;
  }

  /**
   * One that connects when it is asked.
   *
   * @param kafka where the brokers are, and whatever else of a client's configuration
   * @param terms of the ledger that wrote the records
   */
  public static TopicSimulations over(Map<String, Object> kafka, LeaseTerms terms, Ticker ticker) {
    return new TopicSimulations(() -> TopicHistory.over(kafka), terms, ticker, BOUNDS);
  }

  @Override
  public Simulation simulate(Request request) throws SimulationRefusedException {
    if (!turns.tryAcquire()) {
      throw new SimulationRefusedException(
          Why.BUSY, "another simulation is being made, ask again in some seconds");
    }
    try (TopicHistory history = histories.get()) {
      return simulate(request, history);
    } catch (HistoryUnavailableException | KafkaException unreadable) {
      throw refusal(Why.UNAVAILABLE, String.valueOf(unreadable.getMessage()), unreadable);
    } finally {
      turns.release();
    }
  }

  private Simulation simulate(Request request, TopicHistory history)
      throws SimulationRefusedException, HistoryUnavailableException {
    Recording recording = new Recording(request.pool(), terms, request.fromMs(), bounds.steps());
    Stop stop = new Stop(recording);
    long warmUpMs = Math.max(WARM_UP.toMillis(), 2 * terms.leaseMs());
    Gaps gaps;
    try {
      gaps =
          history.read(
              request.pool(), request.fromMs() - warmUpMs, request.toMs(), recording, stop);
    } catch (HistoryUnavailableException stopped) {
      if (stop.reason != null) {
        throw refusal(Why.TOO_MUCH, stop.reason, stopped);
      }
      throw stopped;
    }
    PoolPolicy last = recording.policy();
    if (last == null) {
      throw new SimulationRefusedException(
          Why.UNKNOWN_POOL, "no pool is named '" + request.pool() + "'");
    }
    if (recording.isFull()) {
      throw new SimulationRefusedException(Why.TOO_MUCH, tooMuch());
    }
    return with(gaps, Simulator.of(request, recording, last, terms));
  }

  private static SimulationRefusedException refusal(Why why, String message, Exception cause) {
    SimulationRefusedException refusal = new SimulationRefusedException(why, message);
    refusal.initCause(cause);
    return refusal;
  }

  private String tooMuch() {
    return "more than " + bounds.steps() + " attempts, opens and closes: ask for a shorter window";
  }

  private static Simulation with(Gaps gaps, Simulation answer) {
    List<String> assumptions = new ArrayList<>(answer.assumptions());
    gaps.reachBackTo()
        .forEach(
            (topic, fromMs) ->
                assumptions.add(
                    topic
                        + " reaches back to "
                        + Instant.ofEpochMilli(fromMs)
                        + " only: what was before is taken for nothing."));
    gaps.laterPolicies()
        .forEach(
            (pool, fromMs) ->
                assumptions.add(
                    "The policy of that time is not kept any more: the one of "
                        + Instant.ofEpochMilli(fromMs)
                        + " stands for it."));
    if (gaps.presentPods().contains(answer.pool())) {
      assumptions.add("The pods that Kubernetes has now stand for those of that time.");
    }
    return new Simulation(
        answer.pool(),
        answer.fromMs(),
        answer.toMs(),
        answer.recorded(),
        answer.repeated(),
        answer.simulated(),
        answer.policy(),
        assumptions);
  }

  /** Ends a reading that costs too much. */
  private final class Stop implements TopicHistory.Progress {
    private final Recording recording;
    private final long deadlineNanos = ticker.nowNanos() + bounds.time().toNanos();
    private @Nullable String reason;

    Stop(Recording recording) {
      this.recording = recording;
    }

    @Override
    public void read(long records, long total) throws HistoryUnavailableException {
      if (total > bounds.records()) {
        reason =
            total
                + " records, and "
                + bounds.records()
                + " are read at most: ask for a shorter window";
      } else if (recording.isFull()) {
        reason = tooMuch();
      } else if (ticker.nowNanos() > deadlineNanos) {
        reason =
            "only "
                + records
                + " of "
                + total
                + " records were read in "
                + bounds.time().toSeconds()
                + " s: ask for a shorter window";
      }
      if (reason != null) {
        throw new HistoryUnavailableException(reason);
      }
    }
  }
}
