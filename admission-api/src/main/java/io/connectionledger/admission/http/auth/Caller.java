package io.connectionledger.admission.http.auth;

import org.jspecify.annotations.Nullable;

/**
 * Who asks.
 *
 * @param name as it is written to the log and to the audit: never a token itself
 * @param role null when the caller is known and has none
 */
public record Caller(String name, @Nullable HttpRole role) {

  private static final int MAX_NAME = 200;

  /** Where nobody is asked who they are, everybody may everything. */
  static final Caller ANYBODY = new Caller("anybody", HttpRole.ADMIN);

  /** Names come from issuers, too: one line, of bounded length. */
  public Caller {
    String line = name.replaceAll("\\p{Cntrl}+", " ");
    name = line.length() > MAX_NAME ? line.substring(0, MAX_NAME) + "…" : line;
  }

  /** Whether the caller's role suffices. */
  public boolean may(HttpRole needed) {
    return role != null && role.covers(needed);
  }
}
