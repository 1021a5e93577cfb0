package io.connectionledger.app.cli;

/** A command cannot do what it is asked for; the message is the one line for the operator. */
public final class FailedException extends Exception {

  private static final long serialVersionUID = 1;
  private static final int FAILED = 1;
  private static final int WRONG_USAGE = 2;

  private final String line;
  private final int exitCode;

  private FailedException(String message, int exitCode) {
    super(message);
    this.line = message;
    this.exitCode = exitCode;
  }

  /** It did not work, and might another time. */
  public static FailedException failed(String message) {
    return new FailedException(message, FAILED);
  }

  /** It is asked for in a way that never works. */
  public static FailedException wrongUsage(String message) {
    return new FailedException(message, WRONG_USAGE);
  }

  @Override
  public String getMessage() {
    return line;
  }

  /** With what the process ends. */
  public int exitCode() {
    return exitCode;
  }

  /** This one with the exception that led to it. */
  public FailedException by(Throwable cause) {
    initCause(cause);
    return this;
  }
}
