package io.connectionledger.app.config;

/**
 * The process cannot run as it is set up, and an operator can change that. The message is one line
 * that says what is wrong, where, and what is allowed; the process ends with exit code 2.
 */
public class StartupException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  public StartupException(String message) {
    super(message);
  }

  public StartupException(String message, Throwable cause) {
    super(message, cause);
  }
}
