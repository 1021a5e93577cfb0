package io.connectionledger.admission.authz;

import io.envoyproxy.envoy.service.auth.v3.AttributeContext.HttpRequest;
import org.jspecify.annotations.Nullable;

/**
 * The rule that tells a WebSocket handshake from any other request. It must hold for every request
 * that Envoy upgrades, or that one would pass uncounted; so what cannot be known of a request, as
 * Envoy does not pass it on, speaks for a handshake.
 */
final class WebSocketUpgrade {

  private static final String UPGRADE = "upgrade";
  private static final String WEBSOCKET = "websocket";

  /** The value of a header of a request; null when the request has none, or it is not passed on. */
  @FunctionalInterface
  interface Headers {

    /**
     * One header.
     *
     * @param name in lower case
     * @return several values joined by commas
     */
    @Nullable String get(String name);
  }

  private WebSocketUpgrade() {}

  /**
   * Whether {@code request} asks for a WebSocket: HTTP/1.1 Upgrade, or the extended CONNECT of
   * HTTP/2 and later, which Envoy shows as a GET with an {@code upgrade} header.
   */
  static boolean isAskedBy(HttpRequest request) {
    return isAskedBy(name -> CheckHeaders.get(request, name), request.getProtocol());
  }

  /**
   * The same by the headers.
   *
   * @param protocol as Envoy writes it, such as {@code HTTP/1.1}; empty when unknown
   */
  static boolean isAskedBy(Headers headers, String protocol) {
    String upgrade = headers.get(UPGRADE);
    if (upgrade == null) {
      return isAskedWithoutUpgrade(headers);
    }
    return hasToken(upgrade, WEBSOCKET) && (isHttp2OrLater(protocol) || mayUpgrade(headers));
  }

  /** The connection header has no part in HTTP/2, and may not be passed on of HTTP/1.1. */
  private static boolean mayUpgrade(Headers headers) {
    String connection = headers.get("connection");
    return connection == null || hasToken(connection, UPGRADE);
  }

  /**
   * Either it is none, or Envoy does not pass {@code upgrade} on: what else a handshake has tells.
   */
  private static boolean isAskedWithoutUpgrade(Headers headers) {
    String protocol = headers.get(":protocol");
    if (protocol != null) {
      return protocol.equalsIgnoreCase(WEBSOCKET);
    }
    return (headers.get("sec-websocket-key") != null
            || headers.get("sec-websocket-version") != null)
        && mayUpgrade(headers);
  }

  private static boolean isHttp2OrLater(String protocol) {
    return protocol.startsWith("HTTP/2") || protocol.startsWith("HTTP/3");
  }

  /** Whether the comma-separated {@code list} names {@code token}, in any case. */
  static boolean hasToken(String list, String token) {
    int start = 0;
    while (start <= list.length()) {
      int comma = list.indexOf(',', start);
      int end = comma < 0 ? list.length() : comma;
      if (isToken(list, start, end, token)) {
        return true;
      }
      start = end + 1;
    }
    return false;
  }

  private static boolean isToken(String list, int from, int to, String token) {
    int start = from;
    int end = to;
    while (start < end && isBlank(list.charAt(start))) {
      start++;
    }
    while (end > start && isBlank(list.charAt(end - 1))) {
      end--;
    }
    return end - start == token.length()
        && list.regionMatches(true, start, token, 0, token.length());
  }

  private static boolean isBlank(char c) {
    return c == ' ' || c == '\t';
  }
}
