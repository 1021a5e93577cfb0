package io.connectionledger.testkit;

import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import java.util.Map;

/** What Envoy asks over ext_authz. */
public final class CheckRequests {

  private CheckRequests() {}

  /**
   * The check of a WebSocket handshake over HTTP/2.
   *
   * @param headers beside the one that asks for the upgrade
   */
  public static CheckRequest webSocket(String pool, Map<String, String> headers) {
    CheckRequest.Builder check = CheckRequest.newBuilder();
    check
        .getAttributesBuilder()
        .putContextExtensions("pool", pool)
        .getRequestBuilder()
        .getHttpBuilder()
        .setProtocol("HTTP/2")
        .putHeaders("upgrade", "websocket")
        .putAllHeaders(headers);
    return check.build();
  }
}
