package io.connectionledger.streams.history;

/** The past cannot be read now; the message is one line for the operator. */
public final class HistoryUnavailableException extends Exception {

  private static final long serialVersionUID = 1L;

  /** One that nothing else has led to. */
  public HistoryUnavailableException(String message) {
    super(message);
  }

  HistoryUnavailableException(String message, Throwable cause) {
    super(message, cause);
  }
}
