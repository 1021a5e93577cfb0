package io.connectionledger.admission.http;

import io.connectionledger.admission.http.port.HttpSettings;
import io.connectionledger.model.policy.InvalidPolicyException;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * Which pods a policy may be given over HTTP. Envoy sends clients to whatever is named there, so
 * that is the configuration's business unless it leaves it to the API. Pure.
 *
 * @param settings says so
 */
record WritablePods(HttpSettings settings) {

  private static final String PODS = "pods";
  private static final String LOCKED = "what they are: http.writable-pods is not set";

  /** What Kubernetes may call a pod (a DNS-1123 subdomain), for it may become part of a command. */
  private static final Pattern NAME =
      Pattern.compile("[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*");

  private static final String NAME_ALLOWED =
      "a name as Kubernetes has it: small letters, digits, '-' and '.'";

  /**
   * Refuses pods that {@code next} must not have.
   *
   * @throws InvalidPolicyException that says which, and why
   */
  void refuse(PoolPolicy now, PoolPolicy next) {
    if (!Objects.equals(now.kubernetes(), next.kubernetes()) && !settings.writablePods()) {
      throw new InvalidPolicyException("kubernetes", "another", LOCKED);
    }
    if (now.pods().equals(next.pods())) {
      return;
    }
    if (!settings.writablePods()) {
      throw new InvalidPolicyException(PODS, "others", LOCKED);
    }
    List<Pod> pods = next.pods();
    for (int i = 0; i < pods.size(); i++) {
      Pod pod = pods.get(i);
      if (!now.pods().contains(pod)) {
        refuse(pod, PODS + "[" + i + "]");
      }
    }
  }

  private void refuse(Pod pod, String key) {
    if (!NAME.matcher(pod.name()).matches()) {
      throw new InvalidPolicyException(key + ".name", pod.name(), NAME_ALLOWED);
    }
    settings
        .networks()
        .refusal(pod.address())
        .ifPresent(
            allowed -> {
              throw new InvalidPolicyException(key + ".address", pod.address(), allowed);
            });
  }
}
