package io.connectionledger.admission.http.auth;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * The tokens of a file, as their digests. To look one up takes as long for a wrong token as for a
 * right one. Thread-safe.
 */
final class StaticTokens {

  /** Shorter ones could be guessed, and their fingerprints told apart by trying. */
  static final int MIN_CHARS = 16;

  private static final String LINE =
      "TOKEN ROLE, the token of " + MIN_CHARS + " characters or more, the role one of ";
  private static final int FINGERPRINT_CHARS = 12;

  static final StaticTokens NONE = new StaticTokens(List.of());

  private final List<Known> known;

  /** One token and whose it is; no record, as its bytes are compared in a way of their own. */
  private static final class Known {
    final byte[] digest;
    final Caller caller;

    Known(byte[] digest, Caller caller) {
      this.digest = digest;
      this.caller = caller;
    }
  }

  private StaticTokens(List<Known> known) {
    this.known = known;
  }

  /**
   * Reads the lines of a file.
   *
   * @param name what errors call it
   * @throws IllegalArgumentException with one line, without the token, when anything is wrong
   */
  static StaticTokens parse(String text, String name) {
    List<Known> known = new ArrayList<>();
    int number = 0;
    for (String line : text.lines().map(String::strip).toList()) {
      number++;
      if (line.isEmpty() || line.startsWith("#")) {
        continue;
      }
      String[] words = line.split("\\s+", -1);
      HttpRole role = words.length == 2 ? HttpRole.of(words[1]).orElse(null) : null;
      if (role == null || words[0].length() < MIN_CHARS || words[0].length() > Bearer.MAX_CHARS) {
        throw new IllegalArgumentException(
            name + " line " + number + ": allowed is " + LINE + HttpRole.allowed());
      }
      byte[] digest = digest(words[0]);
      if (known.stream().anyMatch(before -> MessageDigest.isEqual(before.digest, digest))) {
        throw new IllegalArgumentException(
            name + " line " + number + " has a token that stands there before: allowed is once");
      }
      known.add(new Known(digest, new Caller("token:" + fingerprint(digest), role)));
    }
    return new StaticTokens(List.copyOf(known));
  }

  Optional<Caller> find(String token) {
    byte[] digest = digest(token);
    Caller found = null;
    for (Known one : known) {
      if (MessageDigest.isEqual(one.digest, digest)) {
        found = one.caller;
      }
    }
    return Optional.ofNullable(found);
  }

  int size() {
    return known.size();
  }

  private static String fingerprint(byte[] digest) {
    return HexFormat.of().formatHex(digest).substring(0, FINGERPRINT_CHARS);
  }

  private static byte[] digest(String token) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(token.getBytes(UTF_8));
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every JDK has SHA-256", impossible);
    }
  }
}
