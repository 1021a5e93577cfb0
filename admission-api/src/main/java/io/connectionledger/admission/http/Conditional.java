package io.connectionledger.admission.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import org.eclipse.jetty.http.HttpStatus;
import org.jspecify.annotations.Nullable;

/**
 * Answers conditional requests: a client that has the current answer already is told so (304). The
 * entity tag is weak: two answers with the same one say the same, of another moment.
 */
final class Conditional {

  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final String AS_OF = "asOf";
  private static final String STALE_MILLIS = "staleMillis";
  private static final int TAG_BYTES = 12;

  private Conditional() {}

  /** Answers with {@code view}, or with 304 when the client has the same already. */
  static void json(Exchange exchange, Object view) {
    String tag = tag(view);
    exchange.header("etag", tag).header("cache-control", "no-cache");
    if (matches(exchange.header("if-none-match"), tag)) {
      exchange.status(HttpStatus.NOT_MODIFIED_304);
    } else {
      exchange.json(view);
    }
  }

  private static String tag(Object view) {
    ObjectNode said = MAPPER.valueToTree(view);
    said.remove(AS_OF);
    if (said.has(STALE_MILLIS)) {
      said.put(STALE_MILLIS, true);
    }
    byte[] digest = sha256().digest(said.toString().getBytes(UTF_8));
    return "W/\""
        + Base64.getUrlEncoder().withoutPadding().encodeToString(Arrays.copyOf(digest, TAG_BYTES))
        + '"';
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every JDK has SHA-256", impossible);
    }
  }

  private static boolean matches(@Nullable String known, String tag) {
    if (known == null) {
      return false;
    }
    String opaque = tag.substring(2);
    return Arrays.stream(known.split(","))
        .map(String::strip)
        .anyMatch(one -> one.equals("*") || one.equals(tag) || one.equals(opaque));
  }
}
