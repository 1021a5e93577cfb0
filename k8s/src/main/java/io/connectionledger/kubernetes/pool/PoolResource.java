package io.connectionledger.kubernetes.pool;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.connectionledger.model.policy.InvalidPolicyException;
import io.connectionledger.model.policy.PolicyCodec;
import io.connectionledger.model.policy.PoolPolicy;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a ConnectionPool wants.
 *
 * @param policy of the pool {@code <namespace>.<name>}, whose pods are those of Kubernetes
 * @param drain names or addresses of pods that take no new connection
 */
public record PoolResource(PoolPolicy policy, Set<String> drain) {

  private static final String PODS = "kubernetes";
  private static final String SERVICE = "service";
  private static final String SELECTOR = "selector";
  private static final String PORT = "port";
  private static final String DRAIN = "drain";

  public PoolResource {
    drain = Set.copyOf(drain);
  }

  /**
   * Reads the spec of a resource.
   *
   * @throws InvalidPolicyException with one line for the operator when the ledger refuses it
   */
  static PoolResource of(ConnectionPool resource) {
    ObjectNode spec =
        resource.getSpec() == null
            ? JsonNodeFactory.instance.objectNode()
            : resource.getSpec().deepCopy();
    Set<String> drain = new TreeSet<>();
    JsonNode listed = spec.remove(DRAIN);
    if (listed != null) {
      listed.forEach(pod -> drain.add(pod.asText()));
    }
    ObjectNode pods = JsonNodeFactory.instance.objectNode();
    pods.put("namespace", resource.getMetadata().getNamespace());
    move(SERVICE, spec, pods);
    if (spec.remove(SELECTOR) instanceof ObjectNode selector) {
      pods.set(SELECTOR, selector.path("matchLabels"));
    }
    move(PORT, spec, pods);
    spec.set(PODS, pods);
    return new PoolResource(PolicyCodec.written(resource.pool(), spec), drain);
  }

  private static void move(String key, ObjectNode from, ObjectNode to) {
    JsonNode value = from.remove(key);
    if (value != null) {
      to.set(key, value);
    }
  }

  /** The line of a refusal, with the key as the resource has it. */
  static String line(InvalidPolicyException refusal) {
    String key = refusal.key();
    String own = key.startsWith(PODS + ".") ? key.substring(PODS.length() + 1) : key;
    return "spec." + own + " is " + refusal.value() + ": allowed is " + refusal.allowed();
  }
}
