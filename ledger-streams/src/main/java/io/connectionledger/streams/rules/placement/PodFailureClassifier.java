package io.connectionledger.streams.rules.placement;

import io.connectionledger.model.event.ConnectionEvent.Failed;
import java.util.List;

/**
 * Tells the failed handshakes that speak against the pod from those that do not: a client that
 * left, a request that the pod refused with good reason (4xx), a limit of Envoy itself. The words
 * are Envoy's response code details.
 */
public final class PodFailureClassifier {

  private static final int SERVER_ERROR = 500;
  private static final String ANSWERED_BY_THE_POD = "via_upstream";

  /** Connection refused, timed out or torn down before the pod answered. */
  private static final String RESET = "upstream_reset_before_response_started";

  /** Resets in whose name it is Envoy that had enough. */
  private static final List<String> ENVOYS_OWN =
      List.of("{overflow", "{local_", "{overload_manager");

  private static final List<String> UNANSWERED =
      List.of("upstream_response_timeout", "upstream_per_try_timeout", "no_healthy_upstream");

  private PodFailureClassifier() {}

  /** Whether the handshake failed by the fault of the pod. */
  public static boolean isIn(Failed event) {
    String reason = event.reason();
    if (reason.equals(ANSWERED_BY_THE_POD)) {
      return event.status() >= SERVER_ERROR;
    }
    if (reason.startsWith(RESET)) {
      return ENVOYS_OWN.stream().noneMatch(own -> reason.startsWith(own, RESET.length()));
    }
    return UNANSWERED.stream().anyMatch(reason::startsWith);
  }
}
