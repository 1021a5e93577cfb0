package io.connectionledger.kubernetes.discovery;

import io.connectionledger.model.endpoints.PoolEndpoints;
import io.connectionledger.model.policy.KubernetesPods;
import java.util.List;
import java.util.Optional;

/** A pool whose endpoints are published. Not thread-safe. */
final class FollowedPool {

  private final String pool;
  private final KubernetesPods wanted;
  private final ObjectView<?> view;
  private final EndpointRules rules;
  private final EndpointSink sink;
  private int kept;

  FollowedPool(
      String pool,
      KubernetesPods wanted,
      ObjectView<?> view,
      EndpointRules rules,
      EndpointSink sink) {
    this.pool = pool;
    this.wanted = wanted;
    this.view = view;
    this.rules = rules;
    this.sink = sink;
  }

  KubernetesPods wanted() {
    return wanted;
  }

  EndpointRules rules() {
    return rules;
  }

  /** Publishes what is other than it was published. */
  void compare(long nowNanos) {
    if (!view.isListed()) {
      return;
    }
    EndpointRules.Changes changes =
        rules.changes(view.endpoints(wanted), view.version(), sink.known(pool), nowNanos);
    kept = changes.kept();
    for (EndpointRules.Change change : changes.list()) {
      PoolEndpoints record = change.record();
      if (record == null) {
        sink.remove(pool, change.slice());
      } else {
        sink.publish(record);
      }
    }
  }

  /** Removes all that is published. */
  void end() {
    List.copyOf(sink.known(pool)).forEach(record -> sink.remove(pool, record.slice()));
  }

  /** Says so when endpoints are kept that Kubernetes does not have any more. */
  Optional<String> keeps() {
    if (kept == 0) {
      return Optional.empty();
    }
    String whose =
        wanted.service() == null
            ? "pods of namespace " + wanted.namespace() + " with " + wanted.selector()
            : "service " + wanted.namespace() + "/" + wanted.service();
    return Optional.of(
        "Kubernetes has no endpoints for " + whose + " any more: the last " + kept + " are kept");
  }
}
