package io.connectionledger.model.event;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a decision was made of: the state at that moment, before the decision changed it.
 *
 * @param choice how the pod was chosen; null when none was
 * @param tokens in the pool's bucket; null without a rate limit
 * @param pods that connections may be placed on
 * @param tripped those of them that have room and an open circuit
 * @param active established connections of the pool
 * @param reserved admitted connections of the pool that are not established yet
 * @param limit open and reserved connections that one pod may hold
 * @param held by the chosen pod, open and reserved; null when none was chosen
 * @param waitMs until a client that is alone would get in; null when it is admitted
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record DecisionInputs(
    @Nullable Choice choice,
    @Nullable Double tokens,
    int pods,
    int tripped,
    int active,
    int reserved,
    int limit,
    @Nullable Integer held,
    @Nullable Long waitMs) {

  /** Why this pod. */
  public enum Choice {
    /** It holds the fewest. */
    LEAST_CONNECTIONS,
    /** It is new, and this connection is among its share. */
    SLOW_START,
    /** The client belongs there. */
    AFFINITY,
    /** Its circuit is half open, and this connection is the probe. */
    TRIAL;

    @JsonValue
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
