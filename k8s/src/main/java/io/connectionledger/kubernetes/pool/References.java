package io.connectionledger.kubernetes.pool;

import io.connectionledger.model.Ticker;
import io.connectionledger.model.policy.KubernetesPods;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * Whether there is what ConnectionPools refer to. Asks the API server; what was found counts for
 * half a minute, what was not is asked for each time. Not thread-safe.
 */
final class References {

  private static final Duration FOUND = Duration.ofSeconds(30);

  private final KubernetesClient client;
  private final Ticker ticker;
  private final Map<KubernetesPods, Found> found = new HashMap<>();

  /**
   * Whether there is what was looked for.
   *
   * @param reason in one word
   * @param message one line for the operator
   */
  record Answer(boolean found, String reason, String message) {}

  private record Found(Answer answer, long atNanos) {}

  References(KubernetesClient client, Ticker ticker) {
    this.client = client;
    this.ticker = ticker;
  }

  /**
   * Looks for the Service, or for one of the pods.
   *
   * @throws io.fabric8.kubernetes.client.KubernetesClientException when the API server does not say
   */
  Answer find(KubernetesPods pods) {
    long nowNanos = ticker.nowNanos();
    Found last = found.get(pods);
    if (last != null && nowNanos - last.atNanos < FOUND.toNanos()) {
      return last.answer;
    }
    Answer answer = pods.service() == null ? selected(pods) : service(pods, pods.service());
    if (answer.found) {
      found.put(pods, new Found(answer, nowNanos));
    } else {
      found.remove(pods);
    }
    return answer;
  }

  /** Forgets all but these. */
  void retain(Collection<KubernetesPods> pods) {
    found.keySet().retainAll(pods);
  }

  private Answer service(KubernetesPods pods, String name) {
    boolean there = client.services().inNamespace(pods.namespace()).withName(name).get() != null;
    return there
        ? new Answer(true, StatusRule.RESOLVED_REFS, "Service '" + name + "' exists")
        : new Answer(false, "ServiceNotFound", "spec.service: there is no Service '" + name + "'");
  }

  private Answer selected(KubernetesPods pods) {
    boolean there =
        !client
            .pods()
            .inNamespace(pods.namespace())
            .withLabels(pods.selector())
            .list(new ListOptionsBuilder().withLimit(1L).build())
            .getItems()
            .isEmpty();
    return there
        ? new Answer(true, StatusRule.RESOLVED_REFS, "The selector matches pods")
        : new Answer(
            false,
            "NoPodsSelected",
            "spec.selector: no pod has the labels " + new TreeMap<>(pods.selector()));
  }
}
