package io.connectionledger.model.policy;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * By what a client is known again, so that it returns to its pod: one of the three, or none.
 *
 * @param header the name of a request header, in lower case; null for none
 * @param cookie the name of a cookie; null for none
 * @param sourceAddress whether it is the IP address from which it reaches Envoy
 */
@JsonInclude(JsonInclude.Include.NON_DEFAULT)
public record Affinity(@Nullable String header, @Nullable String cookie, boolean sourceAddress) {

  public static final String ALLOWED =
      "one of { header: <name> }, { cookie: <name> } and { source-address: true }";

  public static final Affinity NONE = new Affinity(null, null, false);

  /** A token of RFC 9110. */
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}");

  public Affinity {
    if ((header == null ? 0 : 1) + (cookie == null ? 0 : 1) + (sourceAddress ? 1 : 0) > 1) {
      throw new InvalidPolicyException("", "a mapping of several keys", ALLOWED);
    }
    String name = header == null ? cookie : header;
    if (name != null && !NAME.matcher(name).matches()) {
      throw new InvalidPolicyException(
          header == null ? "cookie" : "header",
          "'" + name + "'",
          "1 to 128 characters of an HTTP token");
    }
    header = header == null ? null : header.toLowerCase(Locale.ROOT);
  }

  public static Affinity header(String name) {
    return new Affinity(name, null, false);
  }

  public static Affinity cookie(String name) {
    return new Affinity(null, name, false);
  }

  public static Affinity bySourceAddress() {
    return new Affinity(null, null, true);
  }

  /** Whether clients are not told apart. */
  boolean isNone() {
    return header == null && cookie == null && !sourceAddress;
  }
}
