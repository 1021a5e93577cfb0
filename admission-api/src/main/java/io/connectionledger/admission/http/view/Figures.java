package io.connectionledger.admission.http.view;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.connectionledger.model.view.PoolReport;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.model.view.PoolView.State;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A pool in figures, whatever the number of its pods.
 *
 * @param staleMillis how old it may be, when the owner could not be asked; absent when it was
 * @param lent those of the reserved that other instances may admit with while the owner is away
 * @param limit what its pods may hold together
 * @param pods how many the policy names
 * @param windows the rejections
 * @param scaleDown which pods to remove first, the first ten
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Figures(
    String pool,
    String asOf,
    @Nullable Long staleMillis,
    String mode,
    int active,
    int reserved,
    int lent,
    int unreported,
    int unleased,
    long limit,
    int pods,
    Map<String, Map<String, Long>> windows,
    int desiredPods,
    DetailedView.Scaling scaling,
    List<Views.Candidate> scaleDown,
    DetailedView.Readiness readiness) {

  private static final int FIRST = 10;

  public static Figures of(PoolReport report) {
    PoolView view = report.connections();
    List<PodView> named = view.pods().stream().filter(pod -> pod.state() != State.GONE).toList();
    return new Figures(
        view.pool(),
        Views.instant(view.asOfMs()),
        report.staleMs(),
        view.mode().label(),
        view.active(),
        view.reserved(),
        view.lent(),
        view.unreported(),
        view.unleased(),
        named.stream().mapToLong(PodView::limit).sum(),
        named.size(),
        report.rejections().windows(),
        report.scaling().desiredPods(),
        DetailedView.scaling(report),
        report.scaling().scaleDown().stream().limit(FIRST).map(Views.Candidate::of).toList(),
        DetailedView.readiness(report));
  }
}
