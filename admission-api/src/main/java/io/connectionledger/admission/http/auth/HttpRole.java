package io.connectionledger.admission.http.auth;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** What a caller may; each role may what those before it may. */
public enum HttpRole {
  /** Ask. */
  READ,
  /** Drain pods, and simulate. */
  OPERATE,
  /** Change policies. */
  ADMIN;

  /** How it is written. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whether who has this role may what {@code needed} may. */
  public boolean covers(HttpRole needed) {
    return compareTo(needed) >= 0;
  }

  static Optional<HttpRole> of(String label) {
    return Arrays.stream(values()).filter(role -> role.label().equals(label)).findFirst();
  }

  static String allowed() {
    return Arrays.stream(values()).map(HttpRole::label).collect(Collectors.joining(", "));
  }
}
