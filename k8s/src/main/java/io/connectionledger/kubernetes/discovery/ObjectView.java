package io.connectionledger.kubernetes.discovery;

import io.connectionledger.kubernetes.watch.ListWatch;
import io.connectionledger.model.endpoints.PoolEndpoints.Endpoint;
import io.connectionledger.model.policy.KubernetesPods;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.Watcher;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * The objects of one scope as they are known now. Told by a {@link ListWatch}; all else belongs to
 * the executor's one thread.
 *
 * @param <T> their kind
 */
final class ObjectView<T extends HasMetadata> implements ListWatch.Listener<T> {

  private final EndpointReader<T> reader;
  private final Executor executor;
  private final Consumer<Predicate<KubernetesPods>> onChange;
  private final Map<String, T> objects = new HashMap<>();
  private boolean listed;
  private long version;

  /**
   * One that knows nothing yet.
   *
   * @param onChange told which pools may have other endpoints
   */
  ObjectView(
      EndpointReader<T> reader, Executor executor, Consumer<Predicate<KubernetesPods>> onChange) {
    this.reader = reader;
    this.executor = executor;
    this.onChange = onChange;
  }

  @Override
  public void listed(List<T> all, long at) {
    executor.execute(
        () -> {
          objects.clear();
          all.forEach(object -> objects.put(object.getMetadata().getName(), object));
          listed = true;
          version = at;
          onChange.accept(pods -> true);
        });
  }

  @Override
  public void changed(Watcher.Action action, T object, long at) {
    executor.execute(
        () -> {
          version = at;
          switch (action) {
            case ADDED, MODIFIED -> objects.put(object.getMetadata().getName(), object);
            case DELETED -> objects.remove(object.getMetadata().getName());
            case BOOKMARK, ERROR -> {
              return;
            }
          }
          onChange.accept(pods -> reader.concerns(object, pods));
        });
  }

  /** Whether the objects are known. */
  boolean isListed() {
    return listed;
  }

  /** The version of the API server that had them. */
  long version() {
    return version;
  }

  /** The endpoints that a pool has by these objects. */
  SortedMap<String, List<Endpoint>> endpoints(KubernetesPods wanted) {
    return reader.endpoints(objects.values(), wanted);
  }
}
