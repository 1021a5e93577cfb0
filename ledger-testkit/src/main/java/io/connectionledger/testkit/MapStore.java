package io.connectionledger.testkit;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A map in the place of a state store. */
public final class MapStore {

  private MapStore() {}

  /** Puts what has a value, and removes what has none any more. */
  public static <K, V> void write(Map<K, V> store, Map<K, @Nullable V> changed) {
    changed.forEach(
        (key, value) -> {
          if (value == null) {
            store.remove(key);
          } else {
            store.put(key, value);
          }
        });
  }
}
