package io.connectionledger.admission.http;

import io.connectionledger.admission.http.audit.AuditTrail;
import io.connectionledger.model.audit.AuditEntry;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** Keeps entries, or takes none as the test wants. */
public final class MemoryAuditTrail implements AuditTrail {

  public final List<AuditEntry> entries = new CopyOnWriteArrayList<>();
  public volatile @Nullable RuntimeException failure;

  @Override
  public CompletionStage<Void> write(AuditEntry entry) {
    RuntimeException refusal = failure;
    if (refusal != null) {
      return CompletableFuture.failedFuture(refusal);
    }
    entries.add(entry);
    return CompletableFuture.completedFuture(null);
  }
}
