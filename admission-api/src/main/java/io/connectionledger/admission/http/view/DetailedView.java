package io.connectionledger.admission.http.view;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import io.connectionledger.admission.http.view.Paging.Page;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.policy.DrainPace;
import io.connectionledger.model.view.PoolRejections.PodRejections;
import io.connectionledger.model.view.PoolReport;
import io.connectionledger.model.view.PoolScaling.Candidate;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Everything about a pool and each of its pods.
 *
 * @param unreported those of the reserved that should have had an outcome
 * @param unleased those of the active that were never admitted
 * @param windows the rejections of the pool
 * @param desiredPods how many should take connections
 * @param scaling whether a controller may act
 * @param readiness how far the counts can be relied on
 * @param pods those that the policy names or that hold connections
 * @param next for the query parameter {@code after}; absent on the last page
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record DetailedView(
    String pool,
    String asOf,
    @Nullable Long staleMillis,
    String mode,
    int active,
    int reserved,
    int unreported,
    int unleased,
    Map<String, Map<String, Long>> windows,
    int desiredPods,
    Scaling scaling,
    Readiness readiness,
    List<Pod> pods,
    @Nullable String next) {

  record Scaling(boolean ready, List<String> reasons) {}

  record Readiness(
      boolean ready, double completeness, List<Views.Envoy> envoys, List<String> reasons) {}

  /**
   * One pod.
   *
   * @param priority 1 for the first to be removed; absent when the policy does not name it any more
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Pod(
      @JsonUnwrapped Views.Pod shown,
      @Nullable Integer priority,
      Map<String, Map<String, Long>> windows) {}

  public static DetailedView of(
      PoolReport report, Map<PodAddress, DrainPace> paces, Paging paging) {
    PoolView view = report.connections();
    Map<PodAddress, Integer> priorities =
        report.scaling().scaleDown().stream()
            .collect(Collectors.toMap(Candidate::address, Candidate::priority));
    Map<PodAddress, PodRejections> rejections =
        report.rejections().pods().stream()
            .collect(Collectors.toMap(PodRejections::address, Function.identity()));
    Page<PodView> page = paging.of(view.pods(), pod -> pod.address().toString());
    return new DetailedView(
        view.pool(),
        Views.instant(view.asOfMs()),
        report.staleMs(),
        view.mode().label(),
        view.active(),
        view.reserved(),
        view.unreported(),
        view.unleased(),
        report.rejections().windows(),
        report.scaling().desiredPods(),
        scaling(report),
        readiness(report),
        page.entries().stream()
            .map(
                pod ->
                    pod(
                        Views.Pod.of(pod, paces.get(pod.address()), view.asOfMs()),
                        priorities.get(pod.address()),
                        rejections.get(pod.address())))
            .toList(),
        page.next());
  }

  static Scaling scaling(PoolReport report) {
    return new Scaling(report.scaling().ready(), report.scaling().reasons());
  }

  static Readiness readiness(PoolReport report) {
    return new Readiness(
        report.readiness().ready(),
        report.readiness().completeness(),
        report.readiness().envoys().stream().map(Views.Envoy::of).toList(),
        report.readiness().reasons());
  }

  private static Pod pod(
      Views.Pod pod, @Nullable Integer priority, @Nullable PodRejections rejections) {
    return new Pod(pod, priority, rejections == null ? Map.of() : rejections.windows());
  }
}
