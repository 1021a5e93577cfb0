package io.connectionledger.admission;

import io.connectionledger.model.policy.Policies;
import io.connectionledger.model.policy.PolicyRecord;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Policies in a map; a change is followed at once, or fails as the test wants. */
public final class ScriptedPolicies implements Policies {

  public final Map<String, PolicyRecord> records = new ConcurrentHashMap<>();
  public @Nullable RuntimeException failure;
  public int changes;

  @Override
  public Optional<PolicyRecord> of(String pool) {
    return Optional.ofNullable(records.get(pool));
  }

  @Override
  public CompletionStage<PolicyRecord> change(String pool, UnaryOperator<PolicyRecord> change) {
    PolicyRecord next = change.apply(Objects.requireNonNull(records.get(pool)));
    changes++;
    if (failure != null) {
      return CompletableFuture.failedFuture(failure);
    }
    records.put(pool, next);
    return CompletableFuture.completedFuture(next);
  }
}
