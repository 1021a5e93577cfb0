package io.connectionledger.model;

import java.time.Duration;
import java.util.Set;

/**
 * Which Envoys an ingest hears at this moment: each has at least one access-log stream to it. The
 * value of {@link Topics#ENVOYS}; every ingest writes it into every partition, each {@link
 * #INTERVAL} and whenever an Envoy comes or goes. An ingest that falls silent says nothing about
 * its Envoys.
 *
 * @param ingest the run of the ingest; another one after a restart
 * @param envoys the node ids
 * @param atMs by the ingest's clock
 */
public record Presence(String ingest, Set<String> envoys, long atMs) {

  /** How often an ingest says so although nothing changed. */
  public static final Duration INTERVAL = Duration.ofSeconds(1);

  public Presence {
    envoys = Set.copyOf(envoys);
  }
}
