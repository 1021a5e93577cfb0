package io.connectionledger.app.tail;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which records are wanted. Pure.
 *
 * @param pool the only one wanted; null for all
 * @param types the only ones wanted; empty for all but {@link #HEARTBEATS}
 * @param reason part of the reason, which makes records without one unwanted; null for all
 */
record TailFilter(@Nullable String pool, Set<String> types, @Nullable String reason) {

  /** Far more of them than of all others; whoever wants them says so. */
  static final String HEARTBEATS = "alive";

  TailFilter {
    types = Set.copyOf(types);
  }

  boolean wants(JsonNode value) {
    String type = value.path("type").asText();
    return (types.isEmpty() ? !type.equals(HEARTBEATS) : types.contains(type))
        && (pool == null || value.path("pool").asText().equals(pool))
        && (reason == null || value.path("reason").asText().contains(reason));
  }
}
