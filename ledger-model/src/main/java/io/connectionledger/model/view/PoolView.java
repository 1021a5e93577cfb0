package io.connectionledger.model.view;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonValue;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.policy.PoolPolicy.Mode;
import java.util.List;

/**
 * One pool at one moment.
 *
 * @param asOfMs milliseconds since the epoch
 * @param mode whether the limits are enforced
 * @param active established connections
 * @param reserved admitted connections that are not established, as far as is known
 * @param lent those of the reserved that other instances may admit with while the owner is away
 * @param unreported those of the reserved that should have had an outcome by now: they may be open
 *     at an Envoy that does not report them
 * @param unleased those of the established that were never admitted
 * @param pods in the order of the policy; pods that have left it but still hold connections last
 */
public record PoolView(
    String pool,
    long asOfMs,
    Mode mode,
    int active,
    int reserved,
    int lent,
    int unreported,
    int unleased,
    List<PodView> pods) {

  /** One in which everything was admitted and reported. */
  public PoolView(
      String pool, long asOfMs, Mode mode, int active, int reserved, List<PodView> pods) {
    this(pool, asOfMs, mode, active, reserved, 0, 0, 0, pods);
  }

  /** What a pod can do for the next connection. */
  public enum State {
    AVAILABLE("available"),
    FULL("full"),
    /** Holds more than a limit that was lowered, or than an Envoy's fail-open let in. */
    OVER_LIMIT("overLimit"),
    /** Takes no new connections; those that it holds go on. */
    DRAINING("draining"),
    /** Kubernetes does not call it ready: takes no new connections; those that it holds go on. */
    NOT_READY("notReady"),
    /** Failed too often of late: nothing but a probe is sent to it now and then. */
    CIRCUIT_OPEN("circuitOpen"),
    /** Holds connections, but the policy does not name it any more. */
    GONE("gone");

    private final String label;

    State(String label) {
      this.label = label;
    }

    /** The name in JSON. */
    @JsonValue
    public String label() {
      return label;
    }

    /**
     * What a pod's condition comes to.
     *
     * @param named whether the policy names it
     * @param ready whether Kubernetes, where it is asked, calls it ready
     * @param held open and reserved connections
     */
    public static State of(
        boolean named, boolean draining, boolean ready, boolean circuitOpen, int held, int limit) {
      if (!named) {
        return GONE;
      }
      if (draining) {
        return DRAINING;
      }
      if (!ready) {
        return NOT_READY;
      }
      if (circuitOpen) {
        return CIRCUIT_OPEN;
      }
      if (held == limit) {
        return FULL;
      }
      return held > limit ? OVER_LIMIT : AVAILABLE;
    }
  }

  /**
   * One pod and what it holds, everywhere: in memory, in the topic of the pods and in the HTTP API.
   *
   * @param pod its name; its address when the policy does not name it
   * @param lent those of the reserved that other instances may admit with while the owner is away;
   *     absent in JSON when there are none
   */
  public record PodView(
      String pod,
      PodAddress address,
      int active,
      int reserved,
      @JsonInclude(JsonInclude.Include.NON_DEFAULT) int lent,
      int limit,
      State state) {

    /** One of which nothing is lent. */
    public PodView(
        String pod, PodAddress address, int active, int reserved, int limit, State state) {
      this(pod, address, active, reserved, 0, limit, state);
    }

    /** Whether it holds more than its limit, in whatever state it is. */
    @JsonIgnore
    public boolean isOverLimit() {
      return active + reserved > limit;
    }
  }
}
