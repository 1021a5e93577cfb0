package io.connectionledger.admission.stream;

import org.jspecify.annotations.Nullable;

/**
 * The id of a server-sent event.
 *
 * @param epoch of the ring that gave the number: of another instance's, or of one that was dropped
 *     meanwhile, numbers say nothing
 * @param number of the event, or of the last one that a snapshot includes
 */
record EventId(String epoch, long number) {

  private static final char SEPARATOR = '.';
  private static final int MAX_DIGITS = 18;

  /** Reads what {@link #toString} made; null when it did not. */
  static @Nullable EventId parse(@Nullable String written) {
    int separator = written == null ? -1 : written.indexOf(SEPARATOR);
    if (written == null || separator < 0) {
      return null;
    }
    String digits = written.substring(separator + 1);
    boolean isNumber =
        !digits.isEmpty()
            && digits.length() <= MAX_DIGITS
            && digits.chars().allMatch(c -> c >= '0' && c <= '9');
    return isNumber ? new EventId(written.substring(0, separator), Long.parseLong(digits)) : null;
  }

  @Override
  public String toString() {
    return epoch + SEPARATOR + number;
  }
}
