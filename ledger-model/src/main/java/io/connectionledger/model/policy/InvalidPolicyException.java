package io.connectionledger.model.policy;

import java.util.Collection;
import java.util.List;

/** A value that no policy may have. The message is one line for the operator. */
public final class InvalidPolicyException extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;
  private static final int SHOWN_LENGTH = 60;

  private final String key;
  private final String value;
  private final String allowed;

  @SuppressWarnings("serial") // an immutable list of strings
  private final List<String> known;

  /**
   * Refuses a value.
   *
   * @param key as it is written where the value stands
   * @param value shortened when it is long
   * @param allowed what the key may be
   */
  public InvalidPolicyException(String key, Object value, String allowed) {
    this(key, shown(value), allowed, List.of());
  }

  private InvalidPolicyException(String key, String shown, String allowed, List<String> known) {
    super(key + " is " + shown + ": allowed is " + allowed);
    this.key = key;
    this.value = shown;
    this.allowed = allowed;
    this.known = known;
  }

  /** Refuses a key that is none of the known ones. */
  static InvalidPolicyException unknownKey(String key, Object value, Collection<String> known) {
    return new InvalidPolicyException(
        key, shown(value), "one of " + String.join(", ", known), List.copyOf(known));
  }

  private static String shown(Object value) {
    String line = value.toString().replaceAll("\\p{Cntrl}+", " ");
    return line.length() > SHOWN_LENGTH ? line.substring(0, SHOWN_LENGTH) + "…" : line;
  }

  public String key() {
    return key;
  }

  public String value() {
    return value;
  }

  public String allowed() {
    return allowed;
  }

  /** The keys that there are when this one is unknown; empty when it is its value that is wrong. */
  public List<String> knownKeys() {
    return known;
  }

  /** The same under the name that the key has where it was written. */
  InvalidPolicyException named(String other) {
    return new InvalidPolicyException(other, value, allowed, known);
  }
}
