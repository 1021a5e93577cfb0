package io.connectionledger.admission.check;

import io.connectionledger.model.policy.Affinity;
import org.jspecify.annotations.Nullable;

/** Who asks for admission, as far as the transport tells. */
public interface Client {

  /** The value of a request header; null when it has none. Names are in lower case. */
  @Nullable String header(String name);

  /** The IP address from which it reaches Envoy; null when that is not told. */
  @Nullable String sourceAddress();

  /** Where it reached its Envoy, ip:port; null when that is not told. */
  @Nullable String listener();

  /** What {@code affinity} knows it by; null when it says nothing. */
  default @Nullable String key(Affinity affinity) {
    String key = null;
    if (affinity.header() != null) {
      key = header(affinity.header());
    } else if (affinity.cookie() != null) {
      String cookies = header("cookie");
      key = cookies == null ? null : cookie(cookies, affinity.cookie());
    } else if (affinity.sourceAddress()) {
      key = sourceAddress();
    }
    return key == null || key.isBlank() ? null : key;
  }

  /** The value of the first cookie called {@code name} among those of a request. */
  private static @Nullable String cookie(String header, String name) {
    for (int from = 0; from < header.length(); ) {
      int semicolon = header.indexOf(';', from);
      int end = semicolon < 0 ? header.length() : semicolon;
      int start = from;
      while (start < end && header.charAt(start) == ' ') {
        start++;
      }
      int value = start + name.length() + 1;
      if (value <= end && header.charAt(value - 1) == '=' && header.startsWith(name, start)) {
        return header.substring(value, end).strip();
      }
      from = end + 1;
    }
    return null;
  }
}
