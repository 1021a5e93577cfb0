package io.connectionledger.bench.figures;

import java.util.LinkedHashMap;
import java.util.Map;

/** The command line {@code --name number ...} over defaults. */
public final class Options {

  private final Map<String, Integer> values;

  private Options(Map<String, Integer> values) {
    this.values = values;
  }

  /**
   * Reads {@code args}.
   *
   * @throws IllegalArgumentException with a line that names what is wrong and what is allowed
   */
  public static Options parse(String[] args, Map<String, Integer> defaults) {
    Map<String, Integer> values = new LinkedHashMap<>(defaults);
    for (int i = 0; i < args.length; i += 2) {
      String name = args[i].replaceFirst("^--", "");
      if (!defaults.containsKey(name) || i + 1 == args.length || !args[i + 1].matches("\\d{1,8}")) {
        throw new IllegalArgumentException(
            args[i] + ": allowed are --NAME NUMBER with the names and defaults " + defaults);
      }
      values.put(name, Integer.valueOf(args[i + 1]));
    }
    return new Options(values);
  }

  public int get(String name) {
    Integer value = values.get(name);
    if (value == null) {
      throw new IllegalStateException("no option " + name);
    }
    return value;
  }

  @Override
  public String toString() {
    return values.toString();
  }
}
