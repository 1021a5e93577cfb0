package io.connectionledger.streams.rules.lease;

import io.connectionledger.model.event.ConnectionEvent.Closed;
import io.connectionledger.model.event.Presence;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;

/**
 * Finds Envoys that are gone, by a clock that stands still while no ingest is heard, and while
 * Kafka does not take what one of them hears. Time passes as the ingests tell it: each of their
 * words is a tick. So no lease runs while no ingest is heard, and a ledger that reads late what
 * they said judges as if it had read it in time. From who is heard it concludes whose silence means
 * something:
 *
 * <ul>
 *   <li>an ingest that says that an Envoy's last stream ended, while no other ingest hears it and
 *       it does not come back within a heartbeat: the Envoy is gone, and so are its connections;
 *   <li>an Envoy that begins a stream: one may have broken, and what was on its way is lost. Each
 *       of its living connections is reported within a heartbeat, so the others ended;
 *   <li>an ingest that falls silent while others are heard: its Envoys are unknown until another
 *       hears them, and their connections live as long as their leases.
 * </ul>
 *
 * <p>Not thread-safe. It belongs to a partition, since an Envoy has connections in many pools.
 */
public final class EnvoyFailureDetector {

  /** An ingest that was not heard for this long has said nothing about its Envoys any more. */
  public static final long SILENCE_MS = 3 * Presence.INTERVAL.toMillis();

  /** An ingest is behind when Kafka has not taken something for so long: usually it is a moment. */
  private static final long BEHIND_MS = 1_500;

  /** Whoever is behind for longer holds nothing up any more: Kafka's producer gave up long ago. */
  private static final long HOPELESS_MS = Duration.ofMinutes(5).toMillis();

  /** More Envoys than this are not watched; their connections end by their leases. */
  private static final int MAX_ENVOYS = 10_000;

  /** What more ingests than this say is not heard: they are invented. */
  public static final int MAX_INGESTS = 10_000;

  private final long heartbeatMs;
  private final Map<String, Ingest> ingests = new HashMap<>();
  private final Map<String, Envoy> envoys = new HashMap<>();
  private long nowMs;

  /** What the ingests' clocks say, which go on while that of the leases is held. */
  private long toldMs;

  private long streamBeganMs = Long.MIN_VALUE / 2;

  /**
   * Connections to give up: those of the Envoy that were last heard before a moment.
   *
   * @param unheardSinceMs on the lease clock
   * @param reason as in {@link Closed}
   * @param succeeded whether another Envoy appeared as it went, which may be in its place
   */
  public record Eviction(String envoy, long unheardSinceMs, String reason, boolean succeeded) {

    /** One in whose place nobody is. */
    public Eviction(String envoy, long unheardSinceMs, String reason) {
      this(envoy, unheardSinceMs, reason, false);
    }
  }

  /**
   * An ingest.
   *
   * @param offsetMs from its clock to what all of them tell
   * @param toldMs when it was heard, as told
   * @param heardMs the same on the lease clock
   */
  private record Ingest(long offsetMs, long toldMs, long heardMs, boolean isBehind) {}

  private static final class Envoy {
    /** When it was heard first. */
    final long appearedMs;

    /** Who hears it, with the number of its latest stream there. */
    final Map<String, Long> ingests = new HashMap<>();

    /** When an ingest last said that it hears it no more. */
    long leftMs = Long.MIN_VALUE;

    /** When it had no stream any more; {@link Long#MAX_VALUE} while it has one. */
    long goneMs = Long.MAX_VALUE;

    /** Connections must be heard after this, within a round of reports. */
    long reportedAfterMs;

    /** Whether they still may. */
    boolean mustReport;

    Envoy(long appearedMs) {
      this.appearedMs = appearedMs;
    }
  }

  /**
   * Has heard nobody.
   *
   * @param nowMs where the lease clock begins
   */
  public EnvoyFailureDetector(LeaseTerms terms, long nowMs) {
    heartbeatMs = terms.heartbeat().toMillis();
    this.nowMs = nowMs;
    toldMs = nowMs;
  }

  /** The lease clock. */
  public long nowMs() {
    return nowMs;
  }

  /** When an Envoy last began a stream, whichever, on the lease clock. */
  public long streamBeganMs() {
    return streamBeganMs;
  }

  /**
   * Takes what an ingest says, which advances the lease clock.
   *
   * @param intervalMs at which interval an Envoy reports, milliseconds, by its node id
   * @return what is certain by now
   */
  public List<Eviction> heard(Presence presence, ToLongFunction<String> intervalMs) {
    if (isOneTooMany(presence)) {
      return List.of();
    }
    if (!advance(presence)) {
      // Whoever was not heard of for so long may have dropped what was said to it.
      envoys.values().forEach(envoy -> envoy.ingests.remove(presence.ingest()));
    }
    note(presence);
    forgetSilentIngests();
    return verdicts(intervalMs);
  }

  /**
   * Takes what an ingest said while its reader caught up, which advances nothing: what the Envoys
   * reported meanwhile is in another topic, and may be read sooner or later than this.
   */
  public void learn(Presence presence) {
    if (isOneTooMany(presence)) {
      return;
    }
    ingests.put(
        presence.ingest(), new Ingest(toldMs - presence.atMs(), toldMs, nowMs, isBehind(presence)));
    note(presence);
  }

  /** Whether the lease clock stands still, as Kafka does not take what an ingest hears. */
  public boolean isHeld() {
    return ingests.values().stream().anyMatch(Ingest::isBehind);
  }

  private static boolean isBehind(Presence presence) {
    return presence.lagMs() >= BEHIND_MS && presence.lagMs() < HOPELESS_MS;
  }

  private boolean isOneTooMany(Presence presence) {
    return ingests.size() >= MAX_INGESTS && !ingests.containsKey(presence.ingest());
  }

  private void note(Presence presence) {
    presence
        .envoys()
        .forEach(
            (node, stream) -> {
              if (envoys.size() < MAX_ENVOYS || envoys.containsKey(node)) {
                Envoy envoy = envoys.computeIfAbsent(node, name -> new Envoy(nowMs));
                if (!stream.equals(envoy.ingests.put(presence.ingest(), stream))) {
                  mustReport(envoy);
                }
              }
            });
    envoys.forEach(
        (node, envoy) -> {
          if (!presence.envoys().containsKey(node)
              && envoy.ingests.remove(presence.ingest()) != null) {
            envoy.leftMs = nowMs;
            if (envoy.ingests.isEmpty()) {
              envoy.goneMs = nowMs;
            }
          }
        });
  }

  /**
   * By as much as the ingest's own clock did since its last word; by nothing when that is more than
   * a silence: either it was silent, or somebody set its clock; and by nothing while one is behind.
   *
   * @return whether it was heard, and Kafka took what it heard, all the time
   */
  private boolean advance(Presence presence) {
    Ingest known = ingests.get(presence.ingest());
    long thereMs = known == null ? Long.MAX_VALUE : presence.atMs() + known.offsetMs;
    boolean heard = thereMs >= toldMs - SILENCE_MS && thereMs <= toldMs + SILENCE_MS;
    if (!heard) {
      thereMs = toldMs;
    }
    long passedMs = Math.max(0, thereMs - toldMs);
    toldMs += passedMs;
    ingests.remove(presence.ingest());
    boolean behind = isBehind(presence);
    if (!behind && !isHeld()) {
      nowMs += passedMs;
    }
    ingests.put(presence.ingest(), new Ingest(thereMs - presence.atMs(), toldMs, nowMs, behind));
    return heard && (behind || known == null || !known.isBehind);
  }

  private void mustReport(Envoy envoy) {
    envoy.goneMs = Long.MAX_VALUE;
    // What it said before may still arrive in this moment; what counts is a later report.
    envoy.reportedAfterMs = nowMs + LeaseTerms.TRANSIT_MS;
    envoy.mustReport = true;
    streamBeganMs = nowMs;
  }

  private List<Eviction> verdicts(ToLongFunction<String> intervalMs) {
    List<Eviction> verdicts = new ArrayList<>();
    for (Iterator<Map.Entry<String, Envoy>> all = envoys.entrySet().iterator(); all.hasNext(); ) {
      Map.Entry<String, Envoy> entry = all.next();
      Envoy envoy = entry.getValue();
      if (envoy.goneMs != Long.MAX_VALUE && nowMs >= envoy.goneMs + heartbeatMs) {
        // What it said last may have come after the news of its end.
        verdicts.add(
            new Eviction(
                entry.getKey(),
                envoy.goneMs + LeaseTerms.TRANSIT_MS,
                Closed.ENVOY_GONE,
                hasAppearedSince(envoy.goneMs - heartbeatMs)));
        all.remove();
      } else if (envoy.mustReport
          && !envoy.ingests.isEmpty()
          && nowMs
              >= envoy.reportedAfterMs
                  + LeaseTerms.roundMs(intervalMs.applyAsLong(entry.getKey()))) {
        verdicts.add(new Eviction(entry.getKey(), envoy.reportedAfterMs, Closed.UNREPORTED));
        envoy.mustReport = false;
      }
    }
    return verdicts;
  }

  private boolean hasAppearedSince(long sinceMs) {
    return envoys.values().stream().anyMatch(envoy -> envoy.appearedMs >= sinceMs);
  }

  /**
   * Its Envoys are not gone for that, but unknown until another ingest hears them; except one that
   * has left another ingest since, for which this one only seemed to speak.
   */
  private void forgetSilentIngests() {
    for (Iterator<Map.Entry<String, Ingest>> all = ingests.entrySet().iterator(); all.hasNext(); ) {
      Map.Entry<String, Ingest> ingest = all.next();
      if (toldMs - ingest.getValue().toldMs >= SILENCE_MS) {
        long heardMs = ingest.getValue().heardMs;
        all.remove();
        envoys.values().removeIf(envoy -> isUnknownWithout(ingest.getKey(), heardMs, envoy));
      }
    }
  }

  private static boolean isUnknownWithout(String ingest, long heardMs, Envoy envoy) {
    if (envoy.ingests.remove(ingest) == null || !envoy.ingests.isEmpty()) {
      return false;
    }
    if (envoy.leftMs < heardMs) {
      return true;
    }
    envoy.goneMs = envoy.leftMs;
    return false;
  }
}
