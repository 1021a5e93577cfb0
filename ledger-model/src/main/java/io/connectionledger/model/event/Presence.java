package io.connectionledger.model.event;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.connectionledger.model.Topics;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which Envoys an ingest hears at this moment: each has at least one access-log stream to it. The
 * value of {@link Topics#ENVOYS}; every ingest writes it into every partition, each {@link
 * #INTERVAL} and soon after a stream begins or an Envoy's last one ends. An ingest that falls
 * silent says nothing about its Envoys.
 *
 * @param ingest the run of the ingest; another one after a restart
 * @param envoys by node id, the number of the latest stream that it began: another number means
 *     that one may have broken, and that what was on its way is lost
 * @param atMs by the ingest's clock
 * @param behindMs for how long Kafka has not taken something that the ingest heard; null when there
 *     is nothing
 * @param problems what is wrong with the Envoys there, for the readiness of every pool: a few
 *     sentences; left out of the JSON when there are none
 */
public record Presence(
    String ingest,
    Map<String, Long> envoys,
    long atMs,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Long behindMs,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<String> problems) {

  /** How often an ingest says so although nothing changed. */
  public static final Duration INTERVAL = Duration.ofSeconds(1);

  public Presence {
    envoys = Map.copyOf(envoys);
    // What was written before there were any has none.
    problems = problems == null ? List.of() : List.copyOf(problems);
  }

  /** One where nothing is wrong. */
  public Presence(String ingest, Map<String, Long> envoys, long atMs) {
    this(ingest, envoys, atMs, List.of());
  }

  /** One whose news Kafka takes at once. */
  public Presence(String ingest, Map<String, Long> envoys, long atMs, List<String> problems) {
    this(ingest, envoys, atMs, null, problems);
  }

  /** {@link #behindMs}; 0 when there is nothing. */
  public long lagMs() {
    return behindMs == null ? 0 : behindMs;
  }
}
