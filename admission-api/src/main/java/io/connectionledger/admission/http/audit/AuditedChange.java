package io.connectionledger.admission.http.audit;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.connectionledger.admission.http.auth.Caller;
import io.connectionledger.admission.http.auth.HttpRole;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.audit.AuditEntry;
import io.connectionledger.model.audit.AuditEntry.Action;
import io.connectionledger.model.audit.AuditEntry.Result;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.policy.Policies;
import io.connectionledger.model.policy.PolicyRecord;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One change of a pool, which the audit has before it is made and again when its end is known. What
 * the audit does not take is not done.
 */
public final class AuditedChange {

  private static final Logger LOGGER = LoggerFactory.getLogger(AuditedChange.class);

  private static final int STORE_SECONDS = 10;

  private final Policies policies;
  private final AuditTrail audit;
  private final Ticker ticker;
  private final Function<PolicyRecord, ObjectNode> content;
  private final UnaryOperator<PolicyRecord> change;
  private final AuditEntry asked;

  /** What the change was made of, and into what, once it has been made. */
  private volatile ObjectNode before;

  private volatile ObjectNode after;

  /**
   * One that nobody has begun.
   *
   * @param policies make it
   * @param content shows a policy as it is to be written down
   * @param caller wants it, from {@code address}
   * @param now what the pool is decided by
   * @param pod that it is about; null for the whole pool
   * @throws IllegalArgumentException when {@code change} refuses it
   */
  public AuditedChange(
      Policies policies,
      AuditTrail audit,
      Ticker ticker,
      Function<PolicyRecord, ObjectNode> content,
      Caller caller,
      String address,
      Action action,
      PolicyRecord now,
      @Nullable String pod,
      UnaryOperator<PolicyRecord> change) {
    this.policies = policies;
    this.audit = audit;
    this.ticker = ticker;
    this.content = content;
    this.change = change;
    HttpRole role = caller.role();
    this.before = content.apply(now);
    this.after = content.apply(change.apply(now));
    this.asked =
        new AuditEntry(
            ConnectionIds.next(ticker.nowMs()),
            now.pool(),
            action,
            Result.ASKED,
            caller.name(),
            role == null ? "none" : role.label(),
            address,
            pod,
            before,
            after,
            null,
            ticker.nowMs());
  }

  /** By which the audit knows it. */
  public String id() {
    return asked.id();
  }

  /**
   * Makes it.
   *
   * @param workers who may wait
   * @return completes when the change is stored, followed, and written down; fails with {@link
   *     UnauditedException} when nothing was done
   */
  public CompletionStage<PolicyRecord> make(Executor workers) {
    return audit
        .write(asked)
        .exceptionally(
            failure -> {
              throw new CompletionException(new UnauditedException(cause(failure)));
            })
        .thenComposeAsync(written -> stored(workers), workers);
  }

  private CompletionStage<PolicyRecord> stored(Executor workers) {
    CompletableFuture<PolicyRecord> stored =
        policies
            .change(asked.pool(), this::changed)
            .toCompletableFuture()
            .copy()
            .orTimeout(STORE_SECONDS, TimeUnit.SECONDS);
    return stored
        .handleAsync((record, failure) -> ended(failure), workers)
        .thenCompose(written -> written)
        .thenCompose(written -> stored);
  }

  private PolicyRecord changed(PolicyRecord current) {
    PolicyRecord next = change.apply(current);
    before = content.apply(current);
    after = content.apply(next);
    return next;
  }

  /** What was done stays done when this cannot be written: it is known that it was asked. */
  private CompletionStage<Void> ended(@Nullable Throwable failure) {
    AuditEntry end =
        asked.ended(
            failure == null ? Result.DONE : Result.FAILED,
            before,
            after,
            failure == null ? null : String.valueOf(cause(failure).getMessage()),
            ticker.nowMs());
    return audit
        .write(end)
        .exceptionally(
            unwritten -> {
              LOGGER
                  .atWarn()
                  .addKeyValue("audit", asked.id())
                  .addKeyValue("failure", cause(unwritten).toString())
                  .log("The end of a change is in this log alone, not in the audit");
              return null;
            });
  }

  private static Throwable cause(Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    return cause == null ? failure : cause;
  }
}
