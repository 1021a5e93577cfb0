package io.connectionledger.model;

/**
 * Bytes that are no record of the ledger. Checked, because whoever reads a topic must decide what
 * becomes of them (dead letter). The message is one line, fit for a header.
 */
public final class UnreadableRecordException extends Exception {

  private static final int MAX_MESSAGE = 200;

  public UnreadableRecordException(String message) {
    super(oneLine(message));
  }

  public UnreadableRecordException(String message, Throwable cause) {
    super(oneLine(message), cause);
  }

  private static String oneLine(String message) {
    String line = message.replaceAll("\\s+", " ");
    return line.length() > MAX_MESSAGE ? line.substring(0, MAX_MESSAGE) : line;
  }
}
