package io.connectionledger.admission.http.view;

import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Which part of a list a request wants: the query parameters {@code limit}, the most entries, and
 * {@code after}, the key of the last entry that the client has.
 *
 * @param limit 1 to {@link #MAX}, {@link #DEFAULT} when the request does not say
 * @param after null for the beginning
 */
public record Paging(int limit, @Nullable String after) {

  static final int DEFAULT = 1_000;
  static final int MAX = 10_000;

  private static final String ALLOWED = "1 to " + MAX;

  /**
   * A part of a list.
   *
   * @param next what to pass as {@code after} for the part that follows; null for the last
   */
  record Page<T>(List<T> entries, @Nullable String next) {}

  /**
   * Reads the parameters.
   *
   * @throws InvalidParameterException when the limit is none
   */
  public static Paging of(@Nullable String limit, @Nullable String after) {
    return new Paging(limitOf(limit), after);
  }

  /**
   * Reads the parameter alone.
   *
   * @throws InvalidParameterException when it is none
   */
  public static int limitOf(@Nullable String limit) {
    return limit == null ? DEFAULT : limit(limit);
  }

  private static int limit(String written) {
    if (written.matches("\\d{1,5}")) {
      int limit = Integer.parseInt(written);
      if (limit >= 1 && limit <= MAX) {
        return limit;
      }
    }
    throw new InvalidParameterException("limit", written, ALLOWED);
  }

  /**
   * The part that is wanted.
   *
   * @param key what is unique to an entry
   * @throws InvalidParameterException when no entry has the key after which it begins, any more
   */
  public <T> Page<T> of(List<T> all, Function<T, String> key) {
    int from = after == null ? 0 : after(all, key, after);
    int to = Math.min(all.size(), from + limit);
    List<T> entries = all.subList(from, to);
    return new Page<>(entries, to < all.size() ? key.apply(entries.getLast()) : null);
  }

  private static <T> int after(List<T> all, Function<T, String> key, String last) {
    for (int i = 0; i < all.size(); i++) {
      if (key.apply(all.get(i)).equals(last)) {
        return i + 1;
      }
    }
    throw new InvalidParameterException(
        "after", last, "the 'next' of an earlier answer; begin again without it");
  }
}
