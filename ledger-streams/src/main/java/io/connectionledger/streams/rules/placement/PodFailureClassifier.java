package io.connectionledger.streams.rules.placement;

import io.connectionledger.model.event.ConnectionEvent.Failed;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Tells the failed handshakes that speak against the pod from those that do not: a client that
 * left, a request that the pod refused with good reason (4xx), a limit of Envoy itself. The words
 * are Envoy's response code details.
 */
public final class PodFailureClassifier {

  private static final int SERVER_ERROR = 500;

  /** What a pod answers about itself, whoever asks: what Envoy calls gateway failures. */
  private static final Set<Integer> UNAVAILABLE = Set.of(502, 503, 504);

  private static final String ANSWERED_BY_THE_POD = "via_upstream";

  /** Connection refused, timed out or torn down before the pod answered. */
  private static final String RESET = "upstream_reset_before_response_started";

  /** Resets in whose name it is Envoy that had enough. */
  private static final List<String> ENVOYS_OWN =
      List.of("{overflow", "{local_", "{overload_manager");

  private static final List<String> UNANSWERED =
      List.of("upstream_response_timeout", "upstream_per_try_timeout", "no_healthy_upstream");

  private PodFailureClassifier() {}

  /** Whose fault a failed handshake is. */
  public enum Fault {
    /** It could not be reached, did not answer, or says that it is not there. */
    POD,
    /** It answered with an error that what this one client asked for may have caused. */
    POD_OR_CLIENT,
    /** The client's, or that of a limit of Envoy's. */
    OTHER
  }

  /** Whose fault it is that the handshake failed. */
  public static Fault fault(Failed event) {
    String reason = event.reason();
    if (reason.equals(ANSWERED_BY_THE_POD)) {
      if (UNAVAILABLE.contains(event.status())) {
        return Fault.POD;
      }
      return event.status() >= SERVER_ERROR ? Fault.POD_OR_CLIENT : Fault.OTHER;
    }
    boolean unanswered =
        reason.startsWith(RESET)
            ? ENVOYS_OWN.stream().noneMatch(own -> reason.startsWith(own, RESET.length()))
            : UNANSWERED.stream().anyMatch(reason::startsWith);
    return unanswered ? Fault.POD : Fault.OTHER;
  }

  /**
   * Who a failure comes from that the client may have caused: several must say the same of a pod.
   * Null for one that speaks for itself.
   */
  static @Nullable String source(Failed event, Fault fault) {
    return fault == Fault.POD ? null : event.envoy() + '|' + event.client();
  }
}
