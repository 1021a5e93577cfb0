package io.connectionledger.admission.http.auth;

/** A caller's token is not taken. The message is one line for the caller, without the token. */
public final class AccessRefusedException extends Exception {

  private static final long serialVersionUID = 1L;

  private final boolean isOurs;

  private AccessRefusedException(String message, boolean isOurs) {
    super(message);
    this.isOurs = isOurs;
  }

  static AccessRefusedException of(String message) {
    return new AccessRefusedException(message, false);
  }

  /** It cannot be told now whether the token counts. */
  static AccessRefusedException unknown(String message) {
    return new AccessRefusedException(message, true);
  }

  /** Whether the token may be good, and only cannot be looked at. */
  public boolean isOurs() {
    return isOurs;
  }
}
