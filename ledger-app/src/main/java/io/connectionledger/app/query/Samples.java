package io.connectionledger.app.query;

import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The counters of a metrics page by pool, summed over their other labels. */
final class Samples {

  private static final Pattern SAMPLE = Pattern.compile("(\\w+)\\{([^}]*)} (\\S+)");
  private static final Pattern POOL = Pattern.compile("(?:^|,)pool=\"([^\"]*)\"");

  private final Map<String, Double> values = new HashMap<>();

  private Samples() {}

  /**
   * Reads a page in Prometheus' text format.
   *
   * @param name of the counter
   */
  static Samples of(String page, String name) {
    Samples samples = new Samples();
    for (String line : page.split("\n", -1)) {
      if (line.startsWith(name)) {
        Matcher sample = SAMPLE.matcher(line);
        if (sample.lookingAt() && sample.group(1).equals(name)) {
          Matcher pool = POOL.matcher(sample.group(2));
          if (pool.find()) {
            samples.values.merge(pool.group(1), Double.parseDouble(sample.group(3)), Double::sum);
          }
        }
      }
    }
    return samples;
  }

  /** The pool's; 0 when there is none. */
  double of(String pool) {
    return values.getOrDefault(pool, 0.0);
  }
}
