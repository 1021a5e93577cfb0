package io.connectionledger.controlplane;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * What Envoys refused: every refusal is counted, and told once for each Envoy and version, because
 * an Envoy that connects again refuses the same again. Thread-safe.
 */
final class Nacks {

  /** Prometheus: {@code ledger_eds_nacks_total}. */
  static final String NACKS = "ledger.eds.nacks";

  /** So many are remembered; who comes back after more than that is told again. */
  static final int REMEMBERED = 1_000;

  /** Whom and what a refusal is about. */
  private record Key(String envoy, String version) {}

  private final Counter counter;
  private final Consumer<Nack> log;
  private final Set<Key> told =
      Collections.newSetFromMap(
          new LinkedHashMap<>() {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<Key, Boolean> eldest) {
              return size() > REMEMBERED;
            }
          });

  Nacks(MeterRegistry registry, Consumer<Nack> log) {
    this.log = log;
    counter =
        Counter.builder(NACKS).description("Endpoints that an Envoy refused").register(registry);
  }

  void add(Nack nack) {
    counter.increment();
    boolean first;
    synchronized (told) {
      first = told.add(new Key(nack.envoy(), nack.version()));
    }
    if (first) {
      log.accept(nack);
    }
  }
}
