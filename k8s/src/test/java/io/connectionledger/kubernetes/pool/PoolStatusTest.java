package io.connectionledger.kubernetes.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.policy.PoolPolicy.Mode;
import io.connectionledger.model.view.PoolReadiness;
import io.connectionledger.model.view.PoolRejections;
import io.connectionledger.model.view.PoolReport;
import io.connectionledger.model.view.PoolScaling;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.model.view.PoolView.State;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class PoolStatusTest {

  @Test
  void takesItsFiguresFromTheReport() {
    PoolReport report =
        new PoolReport(
            null,
            new PoolView(
                "shop.chat",
                0,
                Mode.ENFORCE,
                12,
                3,
                List.of(
                    pod(1, State.AVAILABLE),
                    pod(2, State.FULL),
                    pod(3, State.OVER_LIMIT),
                    pod(4, State.DRAINING),
                    pod(5, State.CIRCUIT_OPEN),
                    pod(6, State.GONE))),
            new PoolRejections(
                "shop.chat",
                0,
                Map.of("5m", Map.of("rate", 4L, "capacity", 5L), "1h", Map.of("rate", 90L)),
                List.of()),
            new PoolScaling("shop.chat", 0, false, List.of("unleased: so"), List.of(), 6),
            new PoolReadiness("shop.chat", 0, false, 0.97, List.of(), List.of()));

    assertThat(PoolStatus.of(report))
        .isEqualTo(new PoolStatus(12, 3, 30, 9, 6, 0.97, false, List.of("unleased: so")));
  }

  private static PodView pod(int number, State state) {
    return new PodView("pod-" + number, new PodAddress("10.0.0." + number, 80), 2, 0, 10, state);
  }
}
