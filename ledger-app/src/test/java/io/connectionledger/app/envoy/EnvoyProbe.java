package io.connectionledger.app.envoy;

import io.connectionledger.model.PodAddress;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPAccessLogEntry;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Looks at an Envoy from outside: its answers, its admin interface, its log entries. */
public final class EnvoyProbe {

  private EnvoyProbe() {}

  static HttpResponse<String> get(EnvoyProcess envoy) throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + envoy.listenerPort() + "/"));
    try (HttpClient http = HttpClient.newHttpClient()) {
      return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }
  }

  /** The head of the answer to a handshake, a line each. */
  public static List<String> rawHandshake(int port, String upgrade) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(10_000);
      PrintWriter out = new PrintWriter(socket.getOutputStream(), false, StandardCharsets.US_ASCII);
      out.print(
          "GET / HTTP/1.1\r\nHost: pod\r\nConnection: Upgrade\r\n"
              + upgrade
              + "\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
      out.flush();
      BufferedReader in =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
      List<String> lines = new ArrayList<>();
      for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) {
        lines.add(line);
      }
      return lines;
    }
  }

  static List<PodAddress> podsOf(EnvoyProcess envoy) throws IOException, InterruptedException {
    return envoy
        .admin("/clusters")
        .body()
        .lines()
        .filter(line -> line.startsWith("chat::") && line.contains("::cx_active::"))
        .map(line -> line.substring("chat::".length(), line.lastIndexOf("::cx_active::")))
        .map(PodAddress::parse)
        .toList();
  }

  static long stat(EnvoyProcess envoy, String name) throws IOException, InterruptedException {
    String line = envoy.admin("/stats?filter=%5E" + name + "$").body();
    return Long.parseLong(line.substring(line.lastIndexOf(' ') + 1).strip());
  }

  static String metadata(HTTPAccessLogEntry entry, String key) {
    return entry
        .getCommonProperties()
        .getMetadata()
        .getFilterMetadataOrThrow("envoy.filters.http.ext_authz")
        .getFieldsOrThrow(key)
        .getStringValue();
  }

  static PodAddress upstream(HTTPAccessLogEntry entry) {
    var socket = entry.getCommonProperties().getUpstreamRemoteAddress().getSocketAddress();
    return new PodAddress(socket.getAddress(), socket.getPortValue());
  }
}
