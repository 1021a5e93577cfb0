package io.connectionledger.admission.http.view;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import io.connectionledger.admission.decisionlog.DecisionArchive;
import io.connectionledger.admission.http.view.Paging.Page;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.policy.DrainPace;
import io.connectionledger.model.policy.InvalidPolicyException;
import io.connectionledger.model.view.PoolHistory;
import io.connectionledger.model.view.PoolReadiness;
import io.connectionledger.model.view.PoolRejections;
import io.connectionledger.model.view.PoolScaling;
import io.connectionledger.model.view.PoolView;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.eclipse.jetty.http.HttpStatus;
import org.jspecify.annotations.Nullable;

/** The JSON of the query API; the names of the fields are contract. */
public final class Views {

  private Views() {}

  /**
   * The pools.
   *
   * @param next for the query parameter {@code after}; absent on the last page
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Pools(String asOf, List<PoolName> pools, @Nullable String next) {

    public static Pools of(long nowMs, Page<String> names) {
      return new Pools(
          instant(nowMs), names.entries().stream().map(PoolName::new).toList(), names.next());
    }
  }

  record PoolName(String pool) {}

  /**
   * The pools in figures.
   *
   * @param pools those of the page that somebody could be asked about, in alphabetical order
   * @param unknown the others of the page
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record PoolFigures(
      String asOf, List<Figures> pools, List<String> unknown, @Nullable String next) {

    public static PoolFigures of(
        long nowMs, Page<String> names, Function<String, Optional<Figures>> figures) {
      List<Figures> known = new ArrayList<>();
      List<String> unknown = new ArrayList<>();
      for (String pool : names.entries()) {
        figures.apply(pool).ifPresentOrElse(known::add, () -> unknown.add(pool));
      }
      return new PoolFigures(instant(nowMs), known, unknown, names.next());
    }
  }

  /**
   * What happened in the last hour.
   *
   * @param active open connections at the end of each bucket
   * @param opened in each bucket, as the others
   */
  public record History(
      String pool,
      String asOf,
      String from,
      long bucketSeconds,
      List<Long> active,
      List<Long> opened,
      List<Long> closed,
      List<Long> failed,
      Map<String, List<Long>> rejected) {

    public static History of(PoolHistory history) {
      return new History(
          history.pool(),
          instant(history.asOfMs()),
          instant(history.fromMs()),
          history.bucketMs() / 1000,
          history.active(),
          history.opened(),
          history.closed(),
          history.failed(),
          history.rejected());
    }
  }

  /**
   * The latest decisions, oldest first.
   *
   * @param next for the query parameter {@code after}: what follows these
   * @param more whether some were left out, between these and what was asked for
   */
  public record Decisions(
      String pool, String asOf, List<DecisionLine> decisions, String next, boolean more) {

    public static Decisions of(String pool, long nowMs, DecisionArchive.Latest latest) {
      return new Decisions(
          pool,
          instant(nowMs),
          latest.decisions().stream().map(DecisionLine::of).toList(),
          Long.toString(latest.next()),
          latest.more());
    }
  }

  /**
   * A decision in a line.
   *
   * @param pod where it was sent, or the one that it was rejected for
   * @param count how many checks of one second were answered so, in a flood; absent for one
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record DecisionLine(
      String id,
      String at,
      String outcome,
      @Nullable String pod,
      @Nullable String reason,
      @Nullable Integer count) {

    static DecisionLine of(Decision decision) {
      DecisionView view = DecisionView.of(decision);

      return new DecisionLine(
          view.id(), view.at(), view.outcome(), view.pod(), view.reason(), view.count());
    }
  }

  /**
   * What is open and reserved.
   *
   * @param staleMillis how old it may be, when the owner could not be asked; absent when it was
   * @param unreported those of the reserved that should have had an outcome; absent in an event
   * @param unleased those of the active that were never admitted; absent in an event
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Connections(
      String pool,
      String asOf,
      @Nullable Long staleMillis,
      String mode,
      int active,
      int reserved,
      @Nullable Integer unreported,
      @Nullable Integer unleased,
      List<Pod> pods,
      @Nullable String next) {

    /** The same without what an event does not follow. */
    public Connections asEvent() {
      return new Connections(
          pool, asOf, staleMillis, mode, active, reserved, null, null, pods, next);
    }

    public static Connections of(
        PoolView view, @Nullable Long staleMs, Map<PodAddress, DrainPace> paces, Paging paging) {
      Page<PoolView.PodView> page = paging.of(view.pods(), pod -> pod.address().toString());
      return new Connections(
          view.pool(),
          instant(view.asOfMs()),
          staleMs,
          view.mode().label(),
          view.active(),
          view.reserved(),
          view.unreported(),
          view.unleased(),
          page.entries().stream()
              .map(pod -> Pod.of(pod, paces.get(pod.address()), view.asOfMs()))
              .toList(),
          page.next());
    }
  }

  /**
   * One pod.
   *
   * @param drainUntil when it is to hold no connection any more; absent when it takes its time
   * @param drainFrom how many it held when that began
   * @param drainTo how many it may hold at this moment on its way there
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Pod(
      @JsonUnwrapped PoolView.PodView counts,
      boolean overLimit,
      @Nullable String drainUntil,
      @Nullable Integer drainFrom,
      @Nullable Integer drainTo) {

    public static Pod of(PoolView.PodView view, @Nullable DrainPace pace, long nowMs) {
      return new Pod(
          view,
          view.isOverLimit(),
          pace == null ? null : instant(pace.untilMs()),
          pace == null ? null : pace.from(),
          pace == null ? null : pace.allowed(nowMs));
    }
  }

  /**
   * Rejections of a pool.
   *
   * @param windows by label, shortest first; in each the count by reason
   * @param pods each with those that were about it alone
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Rejections(
      String pool,
      String asOf,
      @Nullable Long staleMillis,
      Map<String, Map<String, Long>> windows,
      List<PodRejections> pods,
      @Nullable String next) {

    public static Rejections of(PoolRejections rejections, @Nullable Long staleMs, Paging paging) {
      Page<PoolRejections.PodRejections> page =
          paging.of(rejections.pods(), pod -> pod.address().toString());
      return new Rejections(
          rejections.pool(),
          instant(rejections.asOfMs()),
          staleMs,
          rejections.windows(),
          page.entries().stream().map(PodRejections::of).toList(),
          page.next());
    }
  }

  record PodRejections(String pod, String address, Map<String, Map<String, Long>> windows) {

    public static PodRejections of(PoolRejections.PodRejections pod) {
      return new PodRejections(pod.pod(), pod.address().toString(), pod.windows());
    }
  }

  /**
   * What a scaling controller may do.
   *
   * @param reasons why it may not act, a line each; empty when it may
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Scaling(
      String pool,
      String asOf,
      @Nullable Long staleMillis,
      boolean ready,
      List<Candidate> scaleDown,
      int desiredPods,
      List<String> reasons,
      @Nullable String next) {

    public static Scaling of(PoolScaling scaling, @Nullable Long staleMs, Paging paging) {
      Page<PoolScaling.Candidate> page =
          paging.of(scaling.scaleDown(), pod -> pod.address().toString());
      return new Scaling(
          scaling.pool(),
          instant(scaling.asOfMs()),
          staleMs,
          scaling.ready(),
          page.entries().stream().map(Candidate::of).toList(),
          scaling.desiredPods(),
          scaling.reasons(),
          page.next());
    }
  }

  record Candidate(String pod, String address, int priority, int active) {

    public static Candidate of(PoolScaling.Candidate pod) {
      return new Candidate(pod.pod(), pod.address().toString(), pod.priority(), pod.active());
    }
  }

  /**
   * How far the counts can be relied on.
   *
   * @param completeness 0 to 1
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Readiness(
      String pool,
      String asOf,
      @Nullable Long staleMillis,
      boolean ready,
      double completeness,
      List<Envoy> envoys,
      List<String> reasons) {

    public static Readiness of(PoolReadiness readiness, @Nullable Long staleMs) {
      return new Readiness(
          readiness.pool(),
          instant(readiness.asOfMs()),
          staleMs,
          readiness.ready(),
          readiness.completeness(),
          readiness.envoys().stream().map(Envoy::of).toList(),
          readiness.reasons());
    }
  }

  /**
   * One Envoy.
   *
   * @param heartbeatSeconds at which interval it repeats open connections; absent while unknown
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Envoy(String node, String lastSeen, int connections, @Nullable Double heartbeatSeconds) {

    public static Envoy of(PoolReadiness.EnvoyView view) {
      Long heartbeatMs = view.heartbeatMs();
      return new Envoy(
          view.node(),
          instant(view.lastSeenMs()),
          view.connections(),
          heartbeatMs == null ? null : Math.round(heartbeatMs / 100.0) / 10.0);
    }
  }

  public record Status(String status) {}

  /**
   * An RFC 9457 problem.
   *
   * @param reason in a word, for programs; absent when the status says it all
   * @param reasons one line each; absent when the detail says it all
   * @param field the key of the request's body, or its parameter, that is wrong; absent when none
   *     is
   * @param value of that key
   * @param allowed for that key
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Problem(
      String type,
      String title,
      int status,
      String detail,
      @Nullable String reason,
      @Nullable List<String> reasons,
      @Nullable String field,
      @Nullable String value,
      @Nullable String allowed) {

    public static Problem of(
        int status, String detail, @Nullable String reason, @Nullable List<String> reasons) {
      return new Problem(
          "about:blank", title(status), status, detail, reason, reasons, null, null, null);
    }

    public static Problem of(InvalidPolicyException invalid) {
      return invalid(invalid, invalid.key(), invalid.value(), invalid.allowed());
    }

    public static Problem of(InvalidParameterException invalid) {
      return invalid(invalid, invalid.key(), invalid.value(), invalid.allowed());
    }

    /** As RFC 9110 has it, where Jetty still has the older name. */
    private static String title(int status) {
      return status == HttpStatus.PAYLOAD_TOO_LARGE_413
          ? "Content Too Large"
          : HttpStatus.getMessage(status);
    }

    private static Problem invalid(
        IllegalArgumentException invalid, String field, String value, String allowed) {
      return new Problem(
          "about:blank",
          title(HttpStatus.BAD_REQUEST_400),
          HttpStatus.BAD_REQUEST_400,
          String.valueOf(invalid.getMessage()),
          null,
          null,
          field,
          value,
          allowed);
    }
  }

  /**
   * The draining of one pod.
   *
   * @param drainUntil when it is to hold no connection any more; absent when it takes its time
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Drain(
      String pool,
      String asOf,
      String pod,
      String address,
      boolean draining,
      @Nullable String drainUntil) {}

  public static String instant(long epochMs) {
    return Instant.ofEpochMilli(epochMs).toString();
  }
}
