package io.connectionledger.streams.rules;

import io.connectionledger.model.ConnectionEvent.Closed;
import io.connectionledger.model.Presence;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * Watches which Envoys are heard by any ingest, and concludes whose silence means something:
 *
 * <ul>
 *   <li>an ingest that says that an Envoy's last stream ended, while no other ingest hears it and
 *       it does not come back within a heartbeat: the Envoy is gone, and so are its connections;
 *   <li>an Envoy that begins a stream: one may have broken, and what was on its way is lost. Each
 *       of its living connections is reported within a heartbeat, so the others ended;
 *   <li>no ingest at all: nothing is known, and no lease runs.
 * </ul>
 *
 * <p>Not thread-safe. It belongs to a partition, since an Envoy has connections in many pools.
 */
public final class EnvoyWatch {

  /** An ingest that was not heard for this long has said nothing about its Envoys any more. */
  private static final long SILENCE_MS = 6 * Presence.INTERVAL.toMillis();

  /** More Envoys than this are not watched; their connections end by their leases. */
  private static final int MAX_ENVOYS = 10_000;

  /** What an Envoy's log, the ingest and Kafka take from a heartbeat to here, generously. */
  private static final long TRANSIT_MS = 500;

  private final long heartbeatMs;
  private final Map<String, Heard> ingests = new HashMap<>();
  private final Map<String, Envoy> envoys = new HashMap<>();
  private long lastHeardMs;

  /**
   * Connections to give up: those of the Envoy that were last heard before a moment.
   *
   * @param unheardSinceMs on the lease clock
   * @param reason as in {@link Closed}
   */
  public record Verdict(String envoy, long unheardSinceMs, String reason) {}

  /** When an ingest was heard last, by both clocks. */
  private record Heard(long atMs, long leaseMs) {}

  private static final class Envoy {
    /** Who hears it, with the number of its latest stream there. */
    final Map<String, Long> ingests = new HashMap<>();

    /** When an ingest last said that it hears it no more. */
    long leftMs = Long.MIN_VALUE;

    /** When it had no stream any more; {@link Long#MAX_VALUE} while it has one. */
    long goneMs = Long.MAX_VALUE;

    /** Connections must be heard after this ... */
    long reportedAfterMs;

    /** ... and before this; {@link Long#MAX_VALUE} once that is settled. */
    long reportedByMs;
  }

  /**
   * Has heard nobody.
   *
   * @param nowMs by a clock that never goes back, and runs even while no ingest is heard
   */
  public EnvoyWatch(LeaseTerms terms, long nowMs) {
    lastHeardMs = nowMs - SILENCE_MS;
    heartbeatMs = terms.heartbeat().toMillis();
  }

  /**
   * Takes what an ingest says.
   *
   * @param nowMs as for the constructor
   * @param leaseNowMs the lease clock
   */
  public void heard(Presence presence, long nowMs, long leaseNowMs) {
    ingests.put(presence.ingest(), new Heard(nowMs, leaseNowMs));
    lastHeardMs = nowMs;
    presence
        .envoys()
        .forEach(
            (node, stream) -> {
              if (envoys.size() < MAX_ENVOYS || envoys.containsKey(node)) {
                Envoy envoy = envoys.computeIfAbsent(node, name -> new Envoy());
                if (!stream.equals(envoy.ingests.put(presence.ingest(), stream))) {
                  mustReport(envoy, leaseNowMs);
                }
              }
            });
    envoys.forEach(
        (node, envoy) -> {
          if (!presence.envoys().containsKey(node)
              && envoy.ingests.remove(presence.ingest()) != null) {
            envoy.leftMs = leaseNowMs;
            if (envoy.ingests.isEmpty()) {
              envoy.goneMs = leaseNowMs;
            }
          }
        });
  }

  private void mustReport(Envoy envoy, long leaseNowMs) {
    envoy.goneMs = Long.MAX_VALUE;
    // What it said before may still arrive in this moment; what counts is a later report.
    envoy.reportedAfterMs = leaseNowMs + TRANSIT_MS;
    envoy.reportedByMs = envoy.reportedAfterMs + heartbeatMs + heartbeatMs / 4 + TRANSIT_MS;
  }

  /** Whether any ingest is heard, so that silence about a connection means something. */
  public boolean hears(long nowMs) {
    return silentMs(nowMs) < SILENCE_MS;
  }

  /** How long no ingest has been heard. */
  public long silentMs(long nowMs) {
    return nowMs - lastHeardMs;
  }

  /** What is certain by now. */
  public List<Verdict> tick(long nowMs, long leaseNowMs) {
    forgetSilentIngests(nowMs);
    List<Verdict> verdicts = new ArrayList<>();
    for (Iterator<Map.Entry<String, Envoy>> all = envoys.entrySet().iterator(); all.hasNext(); ) {
      Map.Entry<String, Envoy> entry = all.next();
      Envoy envoy = entry.getValue();
      if (envoy.goneMs != Long.MAX_VALUE && leaseNowMs >= envoy.goneMs + heartbeatMs) {
        // What it said last may have come after the news of its end.
        verdicts.add(new Verdict(entry.getKey(), envoy.goneMs + TRANSIT_MS, Closed.ENVOY_GONE));
        all.remove();
      } else if (!envoy.ingests.isEmpty() && leaseNowMs >= envoy.reportedByMs) {
        verdicts.add(new Verdict(entry.getKey(), envoy.reportedAfterMs, Closed.UNREPORTED));
        envoy.reportedByMs = Long.MAX_VALUE;
      }
    }
    return verdicts;
  }

  /**
   * Its Envoys are not gone for that, but unknown until another ingest hears them; except one that
   * has left another ingest since, for which this one only seemed to speak.
   */
  private void forgetSilentIngests(long nowMs) {
    for (Iterator<Map.Entry<String, Heard>> all = ingests.entrySet().iterator(); all.hasNext(); ) {
      Map.Entry<String, Heard> ingest = all.next();
      Heard last = ingest.getValue();
      if (nowMs - last.atMs >= SILENCE_MS) {
        all.remove();
        envoys.values().removeIf(envoy -> isUnknownWithout(ingest.getKey(), last, envoy));
      }
    }
  }

  private static boolean isUnknownWithout(String ingest, Heard last, Envoy envoy) {
    if (envoy.ingests.remove(ingest) == null || !envoy.ingests.isEmpty()) {
      return false;
    }
    if (envoy.leftMs < last.leaseMs) {
      return true;
    }
    envoy.goneMs = envoy.leftMs;
    return false;
  }
}
