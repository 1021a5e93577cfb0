package io.connectionledger.kubernetes.pool;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The status of a {@link ConnectionPool}; figures are null before the ledger has any.
 *
 * @param completeness a number with two decimals, as text
 * @param observedGeneration the generation of the spec that the conditions are about
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonIgnoreProperties(ignoreUnknown = true)
public record ConnectionPoolStatus(
    @Nullable Integer active,
    @Nullable Integer reserved,
    @Nullable Long capacity,
    @Nullable Long rejected5m,
    @Nullable Integer desiredPods,
    @Nullable String completeness,
    @Nullable Long observedGeneration,
    List<Condition> conditions) {

  /** Before anything was written. */
  static final ConnectionPoolStatus NONE =
      new ConnectionPoolStatus(null, null, null, null, null, null, null, List.of());

  public ConnectionPoolStatus {
    conditions = conditions == null ? List.of() : List.copyOf(conditions);
  }

  /** The condition of a type, as {@code Ready}. */
  public Optional<Condition> condition(String type) {
    return conditions.stream().filter(condition -> type.equals(condition.getType())).findFirst();
  }
}
