package io.connectionledger.admission.http.view;

/** A parameter of a request that is wrong. The message is one line for the client. */
public final class InvalidParameterException extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;
  private static final int SHOWN_LENGTH = 60;

  private final String key;
  private final String value;
  private final String allowed;

  /**
   * Refuses a value.
   *
   * @param value shortened when it is long
   */
  public InvalidParameterException(String key, String value, String allowed) {
    super(key + " is '" + shown(value) + "': allowed is " + allowed);
    this.key = key;
    this.value = shown(value);
    this.allowed = allowed;
  }

  private static String shown(String value) {
    String line = value.replaceAll("\\p{Cntrl}+", " ");
    return line.length() > SHOWN_LENGTH ? line.substring(0, SHOWN_LENGTH) + "…" : line;
  }

  String key() {
    return key;
  }

  String value() {
    return value;
  }

  String allowed() {
    return allowed;
  }
}
