package io.connectionledger.admission.http;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.connectionledger.model.InvalidPolicyException;
import io.connectionledger.model.PoolReadiness;
import io.connectionledger.model.PoolView;
import io.connectionledger.model.RejectionReason;
import io.connectionledger.streams.Window;
import io.javalin.http.HttpStatus;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The JSON of the query API; the names of the fields are contract. */
final class Views {

  private Views() {}

  record Pools(String asOf, List<PoolName> pools) {

    static Pools of(long nowMs, Set<String> names) {
      return new Pools(instant(nowMs), names.stream().map(PoolName::new).toList());
    }
  }

  record PoolName(String pool) {}

  record Connections(
      String pool, String asOf, String mode, int active, int reserved, List<Pod> pods) {

    static Connections of(PoolView view) {
      return new Connections(
          view.pool(),
          instant(view.asOfMs()),
          view.mode().label(),
          view.active(),
          view.reserved(),
          view.pods().stream().map(Pod::of).toList());
    }
  }

  record Pod(
      String pod,
      String address,
      int active,
      int reserved,
      int limit,
      String state,
      boolean overLimit) {

    static Pod of(PoolView.PodView view) {
      return new Pod(
          view.pod(),
          view.address().toString(),
          view.active(),
          view.reserved(),
          view.limit(),
          view.state().label(),
          view.isOverLimit());
    }
  }

  /**
   * Rejections of a pool.
   *
   * @param windows by label, shortest first; in each the count by reason
   * @param pods empty: no decision is about one pod alone
   */
  record Rejections(
      String pool, String asOf, Map<String, Map<String, Long>> windows, List<Object> pods) {

    static Rejections of(
        String pool, long nowMs, Map<Window, Map<RejectionReason, Long>> byWindow) {
      Map<String, Map<String, Long>> windows = new LinkedHashMap<>();
      for (Window window : Window.values()) {
        windows.put(window.label(), labelled(byWindow.getOrDefault(window, Map.of())));
      }
      return new Rejections(pool, instant(nowMs), windows, List.of());
    }

    private static Map<String, Long> labelled(Map<RejectionReason, Long> byReason) {
      Map<String, Long> labelled = new LinkedHashMap<>();
      for (RejectionReason reason : RejectionReason.values()) {
        Long count = byReason.get(reason);
        if (count != null) {
          labelled.put(reason.label(), count);
        }
      }
      return labelled;
    }
  }

  /**
   * How far the counts can be relied on.
   *
   * @param completeness 0 to 1
   */
  record Readiness(
      String pool,
      String asOf,
      boolean ready,
      double completeness,
      List<Envoy> envoys,
      List<String> reasons) {

    static Readiness of(PoolReadiness readiness) {
      return new Readiness(
          readiness.pool(),
          instant(readiness.asOfMs()),
          readiness.ready(),
          readiness.completeness(),
          readiness.envoys().stream().map(Envoy::of).toList(),
          readiness.reasons());
    }
  }

  record Envoy(String node, String lastSeen, int connections) {

    static Envoy of(PoolReadiness.EnvoyView view) {
      return new Envoy(view.node(), instant(view.lastSeenMs()), view.connections());
    }
  }

  record Status(String status) {}

  /**
   * An RFC 9457 problem.
   *
   * @param reasons one line each; absent when the detail says it all
   * @param field the key of the request's body that is wrong, absent when it is none
   * @param value of that key
   * @param allowed for that key
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Problem(
      String type,
      String title,
      int status,
      String detail,
      @Nullable List<String> reasons,
      @Nullable String field,
      @Nullable String value,
      @Nullable String allowed) {

    static Problem of(int status, String detail, @Nullable List<String> reasons) {
      return new Problem(
          "about:blank",
          HttpStatus.forStatus(status).getMessage(),
          status,
          detail,
          reasons,
          null,
          null,
          null);
    }

    static Problem of(InvalidPolicyException invalid) {
      int status = HttpStatus.BAD_REQUEST.getCode();
      return new Problem(
          "about:blank",
          HttpStatus.BAD_REQUEST.getMessage(),
          status,
          String.valueOf(invalid.getMessage()),
          null,
          invalid.key(),
          invalid.value(),
          invalid.allowed());
    }
  }

  /** The draining of one pod. */
  record Drain(String pool, String pod, String address, boolean draining) {}

  static String instant(long epochMs) {
    return Instant.ofEpochMilli(epochMs).toString();
  }
}
