package io.connectionledger.app.history;

import io.connectionledger.model.policy.DurationText;
import java.time.DateTimeException;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A moment of the past as it is written on the command line: an instant, or how long ago.
 *
 * @param instant null when it is so long ago
 * @param agoMs milliseconds; 0 for an instant
 */
record PointInTime(@Nullable Instant instant, long agoMs) {

  /** The moment in milliseconds since the epoch. */
  long atMs(long nowMs) {
    return instant == null ? nowMs - agoMs : instant.toEpochMilli();
  }

  /** Reads the written form. */
  static final class Converter implements ITypeConverter<PointInTime> {

    @Override
    public PointInTime convert(String written) {
      try {
        return written.startsWith("-")
            ? new PointInTime(null, DurationText.parse(written.substring(1)).toMillis())
            : new PointInTime(Instant.parse(written), 0);
      } catch (IllegalArgumentException | DateTimeException invalid) {
        TypeConversionException refusal =
            new TypeConversionException(
                "'"
                    + written
                    + "': allowed is a moment such as 2026-11-21T12:00:00Z, or how long ago: -30s,"
                    + " -15m, -1h");
        refusal.initCause(invalid);
        throw refusal;
      }
    }
  }
}
