package io.connectionledger.kubernetes.pool;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What the status of a ConnectionPool is to be. Pure. */
final class StatusRule {

  static final String ACCEPTED = "Accepted";
  static final String RESOLVED_REFS = "ResolvedRefs";
  static final String READY = "Ready";

  static final String TRUE = "True";
  static final String FALSE = "False";
  static final String UNKNOWN = "Unknown";

  /** What the API server allows. */
  private static final int MAX_MESSAGE = 32_768;

  private static final int DECIMALS = 2;

  /** A condition without the times and the generation that all of them have. */
  private record Finding(String type, String status, String reason, String message) {}

  private StatusRule() {}

  /**
   * The status that follows.
   *
   * @param resource with the status that it has now
   * @param reference whether its pods can be found; null when nobody has looked
   * @param report what the ledger says; empty when it does not answer
   * @param now from when conditions have changed that do so
   */
  static ConnectionPoolStatus next(
      ConnectionPool resource,
      Verdict verdict,
      References.@Nullable Answer reference,
      Optional<PoolStatus> report,
      Instant now) {
    ConnectionPoolStatus before = before(resource);
    List<Condition> conditions =
        List.of(accepted(verdict), resolved(reference), ready(verdict.inForce() != null, report))
            .stream()
            .map(finding -> condition(finding, before, resource.generation(), now))
            .toList();
    // Figures of before stay while nobody answers, and Ready says so.
    return report
        .map(
            figures ->
                new ConnectionPoolStatus(
                    figures.active(),
                    figures.reserved(),
                    figures.capacity(),
                    figures.rejected5m(),
                    figures.desiredPods(),
                    completeness(figures.completeness()),
                    resource.generation(),
                    conditions))
        .orElseGet(
            () ->
                new ConnectionPoolStatus(
                    before.active(),
                    before.reserved(),
                    before.capacity(),
                    before.rejected5m(),
                    before.desiredPods(),
                    before.completeness(),
                    resource.generation(),
                    conditions));
  }

  static ConnectionPoolStatus before(ConnectionPool resource) {
    return resource.getStatus() == null ? ConnectionPoolStatus.NONE : resource.getStatus();
  }

  /** Rounded down, so that 1.00 is all of them. */
  private static String completeness(double share) {
    return BigDecimal.valueOf(share).setScale(DECIMALS, RoundingMode.DOWN).toPlainString();
  }

  private static Finding accepted(Verdict verdict) {
    String kept =
        verdict.isAccepted() || verdict.inForce() == null
            ? ""
            : "; the spec that was accepted last stays in force";
    return new Finding(
        ACCEPTED,
        verdict.isAccepted() ? TRUE : FALSE,
        verdict.reason().label(),
        verdict.message() + kept);
  }

  private static Finding resolved(References.@Nullable Answer reference) {
    return reference == null
        ? new Finding(
            RESOLVED_REFS, UNKNOWN, "NotAccepted", "Not looked for, as it is not accepted")
        : new Finding(
            RESOLVED_REFS,
            reference.found() ? TRUE : FALSE,
            reference.reason(),
            reference.message());
  }

  private static Finding ready(boolean inForce, Optional<PoolStatus> report) {
    if (report.isEmpty()) {
      return inForce
          ? new Finding(
              READY, UNKNOWN, "NoAnswer", "No instance of the ledger answers for this pool now")
          : new Finding(READY, FALSE, "NotAccepted", "The ledger does not have this pool");
    }
    PoolStatus status = report.get();
    if (status.ready()) {
      return new Finding(READY, TRUE, READY, "The counts are complete");
    }
    String message = String.join("; ", status.reasons());
    return new Finding(READY, FALSE, reason(status.reasons()), message);
  }

  /** The kind of the first reason in the form that Kubernetes wants. */
  private static String reason(List<String> reasons) {
    String first = reasons.isEmpty() ? "" : reasons.getFirst();
    StringBuilder name = new StringBuilder();
    for (String word :
        first.substring(0, Math.max(0, first.indexOf(':'))).split("[^A-Za-z]+", -1)) {
      if (!word.isEmpty()) {
        name.append(Character.toUpperCase(word.charAt(0))).append(word, 1, word.length());
      }
    }
    return name.isEmpty() ? "NotReady" : name.toString();
  }

  private static Condition condition(
      Finding finding, ConnectionPoolStatus before, long generation, Instant now) {
    String since =
        before
            .condition(finding.type)
            .filter(condition -> finding.status.equals(condition.getStatus()))
            .map(Condition::getLastTransitionTime)
            .orElse(now.truncatedTo(ChronoUnit.SECONDS).toString());
    String message = finding.message;
    return new ConditionBuilder()
        .withType(finding.type)
        .withStatus(finding.status)
        .withReason(finding.reason)
        .withMessage(message.substring(0, Math.min(MAX_MESSAGE, message.length())))
        .withObservedGeneration(generation)
        .withLastTransitionTime(since)
        .build();
  }
}
