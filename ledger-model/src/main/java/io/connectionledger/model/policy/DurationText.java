package io.connectionledger.model.policy;

import com.fasterxml.jackson.databind.util.StdConverter;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Durations as the configuration writes them: {@code 500ms}, {@code 30s}, {@code 5m}, {@code 1h}.
 */
public final class DurationText {

  private static final Pattern WRITTEN = Pattern.compile("(\\d{1,9})(ms|s|m|h)");

  private DurationText() {}

  /**
   * Reads the written form.
   *
   * @throws IllegalArgumentException with the forms that are allowed
   */
  public static Duration parse(String text) {
    Matcher written = WRITTEN.matcher(text);
    if (!written.matches()) {
      throw new IllegalArgumentException("a duration, written as 500ms, 10s, 5m or 1h");
    }
    long amount = Long.parseLong(written.group(1));
    return switch (written.group(2)) {
      case "ms" -> Duration.ofMillis(amount);
      case "s" -> Duration.ofSeconds(amount);
      case "m" -> Duration.ofMinutes(amount);
      default -> Duration.ofHours(amount);
    };
  }

  /** The written form, in whole seconds where it has them. */
  public static String of(Duration duration) {
    return duration.toMillis() % 1_000 == 0
        ? duration.toSeconds() + "s"
        : duration.toMillis() + "ms";
  }

  static final class Writer extends StdConverter<Duration, String> {
    @Override
    public String convert(Duration duration) {
      return of(duration);
    }
  }

  static final class Reader extends StdConverter<String, Duration> {
    @Override
    public Duration convert(String text) {
      return parse(text);
    }
  }
}
