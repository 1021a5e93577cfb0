package io.connectionledger.admission;

import io.envoyproxy.envoy.service.auth.v3.AttributeContext.HttpRequest;
import java.util.Map;

/**
 * The rule that tells a WebSocket handshake from any other request. It must hold for every request
 * that Envoy upgrades, or that one would pass uncounted.
 */
final class WebSocketUpgrade {

  private WebSocketUpgrade() {}

  /**
   * Whether {@code request} asks for a WebSocket: HTTP/1.1 Upgrade, or the extended CONNECT of
   * HTTP/2 and later, which Envoy shows as a GET with an {@code upgrade} header. Envoy writes
   * header names in lower case and joins repeated headers with commas.
   */
  static boolean isAskedBy(HttpRequest request) {
    Map<String, String> headers = request.getHeadersMap();
    String upgrade = headers.get("upgrade");
    return upgrade != null
        && isAskedBy(
            upgrade,
            isHttp2OrLater(request.getProtocol())
                ? "upgrade"
                : headers.getOrDefault("connection", ""));
  }

  /** The same by the values of the two headers, which Envoy makes up for an extended CONNECT. */
  static boolean isAskedBy(String upgrade, String connection) {
    return hasToken(upgrade, "websocket") && hasToken(connection, "upgrade");
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
