package io.connectionledger.admission.http.audit;

import io.connectionledger.model.audit.AuditEntry;
import java.util.concurrent.CompletionStage;

/** Where changes are written down. Thread-safe. */
public interface AuditTrail extends AutoCloseable {

  /** Writes one down; completes when it is kept, and fails when it is not. May wait shortly. */
  CompletionStage<Void> write(AuditEntry entry);

  /** Takes no more. */
  @Override
  default void close() {}
}
