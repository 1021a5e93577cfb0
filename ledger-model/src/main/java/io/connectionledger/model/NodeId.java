package io.connectionledger.model;

/** The node ids by which Envoys are told apart, and what else of that kind a record names. */
public final class NodeId {

  /** The longest, in characters. */
  public static final int MAX_LENGTH = 256;

  /** What may be written, for the operator. */
  public static final String ALLOWED = "1 to " + MAX_LENGTH + " printable ASCII characters";

  private NodeId() {}

  /** Whether {@code id} is {@link #ALLOWED}. */
  public static boolean isValid(String id) {
    return !id.isEmpty() && isPrintable(id);
  }

  /** Whether {@code text} is empty or {@link #ALLOWED}. */
  public static boolean isPrintable(String text) {
    if (text.length() > MAX_LENGTH) {
      return false;
    }
    // A plain loop, because it runs for every record.
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) < ' ' || text.charAt(i) > '~') {
        return false;
      }
    }
    return true;
  }
}
