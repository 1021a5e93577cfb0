package io.connectionledger.admission.http.auth;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The header {@code Authorization: Bearer TOKEN}. */
final class Bearer {

  /** Longer than the tokens of issuers that put groups into them. */
  static final int MAX_CHARS = 8_192;

  private static final String SCHEME = "bearer ";

  private Bearer() {}

  /** The token, or a refusal that says what is missing. */
  static String token(@Nullable String authorization) throws AccessRefusedException {
    if (authorization == null) {
      throw AccessRefusedException.of("a token is needed: Authorization: Bearer TOKEN");
    }
    if (!authorization.toLowerCase(Locale.ROOT).startsWith(SCHEME)) {
      throw AccessRefusedException.of("the header authorization is no 'Bearer TOKEN'");
    }
    String token = authorization.substring(SCHEME.length()).strip();
    if (token.isEmpty() || token.length() > MAX_CHARS) {
      throw AccessRefusedException.of("the token is not one that is known here");
    }
    return token;
  }
}
