package io.connectionledger.streams.rules;

import io.connectionledger.model.ConnectionEvent.Closed;
import io.connectionledger.model.Presence;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Watches which Envoys are heard by any ingest, and concludes whose silence means something:
 *
 * <ul>
 *   <li>an ingest that says that an Envoy's last stream ended, while no other ingest hears it and
 *       it does not come back within a heartbeat: the Envoy is gone, and so are its connections;
 *   <li>an Envoy that is heard again after it was not: each of its living connections is reported
 *       within a heartbeat, so the others ended meanwhile;
 *   <li>no ingest at all: nothing is known, and no lease runs.
 * </ul>
 *
 * <p>Not thread-safe. It belongs to a partition, since an Envoy has connections in many pools.
 */
public final class EnvoyWatch {

  /** An ingest that was not heard for this long has said nothing about its Envoys any more. */
  private static final long SILENCE_MS = 3 * Presence.INTERVAL.toMillis();

  /** More Envoys than this are not watched; their connections end by their leases. */
  private static final int MAX_ENVOYS = 10_000;

  /** What an Envoy's log, the ingest and Kafka take from a heartbeat to here, generously. */
  private static final long TRANSIT_MS = 500;

  private final long heartbeatMs;
  private final Map<String, Long> ingestHeardMs = new HashMap<>();
  private final Map<String, Envoy> envoys = new HashMap<>();
  private long lastHeardMs;

  /**
   * Connections to give up: those of the Envoy that were last heard before a moment.
   *
   * @param unheardSinceMs on the lease clock
   * @param reason as in {@link Closed}
   */
  public record Verdict(String envoy, long unheardSinceMs, String reason) {}

  private static final class Envoy {
    final Set<String> ingests = new HashSet<>();

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
   * @param nowMs by our own clock
   */
  public EnvoyWatch(LeaseTerms terms, long nowMs) {
    lastHeardMs = nowMs - SILENCE_MS;
    heartbeatMs = terms.heartbeat().toMillis();
  }

  /**
   * Takes what an ingest says.
   *
   * @param nowMs by our own clock, which runs even while no ingest is heard
   * @param leaseNowMs the lease clock
   */
  public void heard(Presence presence, long nowMs, long leaseNowMs) {
    ingestHeardMs.put(presence.ingest(), nowMs);
    lastHeardMs = nowMs;
    for (String node : presence.envoys()) {
      if (envoys.size() < MAX_ENVOYS || envoys.containsKey(node)) {
        Envoy envoy = envoys.computeIfAbsent(node, name -> new Envoy());
        if (envoy.ingests.isEmpty()) {
          envoy.goneMs = Long.MAX_VALUE;
          // What it said before may still arrive in this moment; what counts is a later report.
          envoy.reportedAfterMs = leaseNowMs + heartbeatMs / 2;
          envoy.reportedByMs = envoy.reportedAfterMs + heartbeatMs + heartbeatMs / 4 + TRANSIT_MS;
        }
        envoy.ingests.add(presence.ingest());
      }
    }
    envoys.forEach(
        (node, envoy) -> {
          if (!presence.envoys().contains(node)
              && envoy.ingests.remove(presence.ingest())
              && envoy.ingests.isEmpty()) {
            envoy.goneMs = leaseNowMs;
          }
        });
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
        verdicts.add(new Verdict(entry.getKey(), envoy.goneMs + 1, Closed.ENVOY_GONE));
        all.remove();
      } else if (!envoy.ingests.isEmpty() && leaseNowMs >= envoy.reportedByMs) {
        verdicts.add(new Verdict(entry.getKey(), envoy.reportedAfterMs, Closed.UNREPORTED));
        envoy.reportedByMs = Long.MAX_VALUE;
      }
    }
    return verdicts;
  }

  /** Its Envoys are not gone for that, but unknown, until another ingest hears them. */
  private void forgetSilentIngests(long nowMs) {
    for (Iterator<Map.Entry<String, Long>> all = ingestHeardMs.entrySet().iterator();
        all.hasNext(); ) {
      Map.Entry<String, Long> ingest = all.next();
      if (nowMs - ingest.getValue() >= SILENCE_MS) {
        all.remove();
        envoys
            .values()
            .removeIf(envoy -> envoy.ingests.remove(ingest.getKey()) && envoy.ingests.isEmpty());
      }
    }
  }
}
