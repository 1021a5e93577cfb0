package io.connectionledger.bench.figures;

import java.util.Arrays;
import java.util.Collection;
import java.util.Locale;

/** Median and range of a few measurements. */
public record Spread(double median, double min, double max) {

  public static Spread of(Collection<Double> values) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    int middle = sorted.length / 2;
    double median =
        sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    return new Spread(median, sorted[0], Arrays.stream(sorted).max().orElseThrow());
  }

  /** As {@code half of them x to y} with so many decimals: the quartiles. */
  public static String middle(Collection<Double> values, int decimals) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    int quarter = sorted.length / 4;
    String number = "%,." + decimals + "f";
    return String.format(
        Locale.ROOT,
        "half of them " + number + " to " + number,
        sorted[quarter],
        sorted[sorted.length - 1 - quarter]);
  }

  /** As {@code median (min to max)} with so many decimals. */
  public String show(int decimals) {
    String number = "%,." + decimals + "f";
    return String.format(
        Locale.ROOT, number + " (" + number + " to " + number + ")", median, min, max);
  }
}
