package io.connectionledger.admission.http.port;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.EnumMap;
import java.util.Map;

/** Counts what was refused over HTTP. Thread-safe. */
public final class HttpRefusals {

  private final Map<HttpRefusal, Counter> counters = new EnumMap<>(HttpRefusal.class);

  /** Each reason has its series from now on. */
  public HttpRefusals(MeterRegistry registry) {
    for (HttpRefusal reason : HttpRefusal.values()) {
      counters.put(
          reason,
          Counter.builder("ledger.http.refused")
              .description("Requests and connections that were refused over HTTP")
              .tag("reason", reason.label())
              .register(registry));
    }
  }

  /** One more. */
  public void count(HttpRefusal reason) {
    Counter counter = counters.get(reason);
    if (counter != null) {
      counter.increment();
    }
  }
}
