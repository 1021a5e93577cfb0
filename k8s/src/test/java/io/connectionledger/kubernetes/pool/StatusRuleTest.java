package io.connectionledger.kubernetes.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.connectionledger.kubernetes.pool.References.Answer;
import io.connectionledger.kubernetes.pool.Verdict.Reason;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class StatusRuleTest {

  private static final Instant NOW = Instant.parse("2026-11-27T10:00:00.250Z");
  private static final Instant LATER = NOW.plusSeconds(60);
  private static final Answer FOUND = new Answer(true, "ResolvedRefs", "Service 'chat' exists");
  private static final PoolStatus FIGURES = figures(true);

  private final ConnectionPool resource = Resources.pool("chat", 3, 0, "{}");
  private final Verdict accepted =
      new Verdict(Reason.ACCEPTED, "The ledger goes by this spec", PoolResource.of(resource));

  @Test
  void saysAllThatIsKnown() {
    ConnectionPoolStatus next = next(accepted, FOUND, FIGURES, NOW);

    assertThat(next)
        .isEqualTo(new ConnectionPoolStatus(5, 2, 40L, 7L, 3, "0.99", 3L, next.conditions()));
    assertThat(next.conditions())
        .extracting(Condition::getType, Condition::getStatus, Condition::getReason)
        .containsExactly(
            tuple("Accepted", "True", "Accepted"),
            tuple("ResolvedRefs", "True", "ResolvedRefs"),
            tuple("Ready", "True", "Ready"));
    assertThat(next.conditions())
        .allMatch(condition -> condition.getObservedGeneration() == 3)
        .allMatch(condition -> condition.getLastTransitionTime().equals("2026-11-27T10:00:00Z"));
  }

  @Test
  void onlyAllOfThemAreOne() {
    PoolStatus whole = new PoolStatus(0, 0, 0, 0, 1, 1.0, true, List.of());

    assertThat(next(accepted, FOUND, whole, NOW).completeness()).isEqualTo("1.00");
  }

  @Test
  void aConditionThatStaysKeepsItsTime() {
    resource.setStatus(next(accepted, FOUND, FIGURES, NOW));

    ConnectionPoolStatus next = next(accepted, FOUND, figures(false), LATER);

    assertThat(condition(next, "Accepted").getLastTransitionTime())
        .isEqualTo("2026-11-27T10:00:00Z");
    assertThat(condition(next, "Ready").getLastTransitionTime()).isEqualTo("2026-11-27T10:01:00Z");
  }

  @Test
  void theSameIsEqual() {
    resource.setStatus(next(accepted, FOUND, FIGURES, NOW));

    assertThat(next(accepted, FOUND, FIGURES, LATER)).isEqualTo(resource.getStatus());
  }

  @Test
  void theFirstReasonNamesItsKind() {
    Condition ready = condition(next(accepted, FOUND, figures(false), NOW), "Ready");

    assertThat(ready.getStatus()).isEqualTo("False");
    assertThat(ready.getReason()).isEqualTo("NotReported");
    assertThat(ready.getMessage()).isEqualTo("not-reported: by envoy-1; unleased: 3 of 4");
  }

  @Test
  void aRefusedOneSaysWhyAndThatTheLastStays() {
    Condition first =
        condition(next(new Verdict(Reason.CONFLICTED, "so", null), null, null, NOW), "Accepted");
    Condition later =
        condition(
            next(new Verdict(Reason.INVALID, "so", accepted.inForce()), FOUND, FIGURES, NOW),
            "Accepted");

    assertThat(first.getStatus()).isEqualTo("False");
    assertThat(first.getReason()).isEqualTo("Conflicted");
    assertThat(first.getMessage()).isEqualTo("so");
    assertThat(later.getReason()).isEqualTo("Invalid");
    assertThat(later.getMessage()).isEqualTo("so; the spec that was accepted last stays in force");
  }

  @Test
  void whatIsNotInForceIsNotReady() {
    ConnectionPoolStatus next = next(new Verdict(Reason.INVALID, "so", null), null, null, NOW);

    assertThat(condition(next, "ResolvedRefs").getStatus()).isEqualTo("Unknown");
    assertThat(condition(next, "Ready").getStatus()).isEqualTo("False");
    assertThat(condition(next, "Ready").getReason()).isEqualTo("NotAccepted");
    assertThat(next.active()).isNull();
  }

  @Test
  void figuresStayWhileNobodyAnswers() {
    resource.setStatus(next(accepted, FOUND, FIGURES, NOW));

    ConnectionPoolStatus next = next(accepted, FOUND, null, LATER);

    assertThat(next.active()).isEqualTo(5);
    assertThat(condition(next, "Ready").getStatus()).isEqualTo("Unknown");
    assertThat(condition(next, "Ready").getReason()).isEqualTo("NoAnswer");
  }

  @Test
  void aServiceThatIsNotThereIsNotResolved() {
    Answer missing = new Answer(false, "ServiceNotFound", "spec.service: there is no Service 'x'");

    Condition resolved = condition(next(accepted, missing, FIGURES, NOW), "ResolvedRefs");

    assertThat(resolved.getStatus()).isEqualTo("False");
    assertThat(resolved.getReason()).isEqualTo("ServiceNotFound");
  }

  private ConnectionPoolStatus next(
      Verdict verdict, @Nullable Answer reference, @Nullable PoolStatus report, Instant now) {
    return StatusRule.next(resource, verdict, reference, Optional.ofNullable(report), now);
  }

  private static Condition condition(ConnectionPoolStatus status, String type) {
    return status.condition(type).orElseThrow();
  }

  private static PoolStatus figures(boolean ready) {
    return new PoolStatus(
        5,
        2,
        40,
        7,
        3,
        0.999,
        ready,
        ready ? List.of() : List.of("not-reported: by envoy-1", "unleased: 3 of 4"));
  }
}
