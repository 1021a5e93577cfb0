package io.connectionledger.app.e2e;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.awaitility.Awaitility;

/**
 * Clients that all ask at the same moment, of all instances, for the last slots of a pool. No slot
 * is given back: before each round the limit is raised by as many as the round is for.
 */
public final class Race implements AutoCloseable {

  public static final String POOL = "raced";
  public static final int SLOTS = 10;
  private static final int CLIENTS = 200;

  private final Cluster cluster;
  private final CheckCrowd crowd;

  /**
   * One that has not been run.
   *
   * @param cluster has the pool, with one pod
   */
  public Race(Cluster cluster) {
    this.cluster = cluster;
    this.crowd = CheckCrowd.of(POOL, cluster.authzPorts());
  }

  /** How many were admitted in each round. */
  public List<Integer> run(int rounds) throws InterruptedException {
    List<Integer> admitted = new ArrayList<>();
    for (int round = 0; round < rounds; round++) {
      raise(round % cluster.size(), SLOTS * (round + 1));
      admitted.add(Collections.frequency(crowd.race(CLIENTS), "allowed"));
    }
    return admitted;
  }

  /** Changes the limit, and waits until the owner has it. */
  private void raise(int instance, int limit) {
    cluster.change(
        instance,
        "PUT",
        "/v1/pools/" + POOL + "/policy",
        "{\"perPodMaxConnections\":%d}".formatted(limit));
    Awaitility.await("limit " + limit)
        .atMost(Duration.ofSeconds(20))
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(5))
        .until(
            () ->
                cluster
                        .get(instance, "/v1/pools/" + POOL + "/connections")
                        .at("/pods/0/limit")
                        .asInt()
                    == limit);
  }

  @Override
  public void close() throws InterruptedException {
    crowd.close();
  }
}
