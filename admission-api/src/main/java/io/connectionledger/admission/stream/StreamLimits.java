package io.connectionledger.admission.stream;

import java.time.Duration;

/**
 * What following pools may cost.
 *
 * @param readers of all pools together
 * @param events that are kept of a pool for readers that are behind
 * @param bytes of these, or four times the size of the whole pool where that is more
 * @param look how often changes are looked for
 * @param refresh how often what cannot be told by changes is asked for
 * @param reconcile how often the whole pool is compared with what changes have told
 * @param keepAlive for how long a reader may hear nothing
 * @param stall for how long a reader may take for one event
 * @param linger for how long a pool that nobody follows any more is kept for those who come back
 * @param perReader how much later the next change of pods is told for each reader of the pool, and
 * @param perPod for each pod, so that large pools and many readers cost checks hardly more
 */
public record StreamLimits(
    int readers,
    int events,
    int bytes,
    Duration look,
    Duration refresh,
    Duration reconcile,
    Duration keepAlive,
    Duration stall,
    Duration linger,
    Duration perReader,
    Duration perPod) {

  /** Those of an instance. */
  public static final StreamLimits DEFAULT =
      new StreamLimits(
          1_000,
          1_024,
          1 << 20,
          Duration.ofMillis(100),
          Duration.ofSeconds(1),
          Duration.ofSeconds(10),
          Duration.ofSeconds(10),
          Duration.ofSeconds(30),
          Duration.ofMinutes(1),
          Duration.ofNanos(400_000),
          Duration.ofNanos(100_000));
}
