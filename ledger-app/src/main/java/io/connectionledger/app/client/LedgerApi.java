package io.connectionledger.app.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.connectionledger.app.cli.FailedException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * A server that answers JSON over HTTP, as a command sees it: a running ledger, or an Envoy's admin
 * interface. What it cannot answer becomes the one line of the command. Thread-safe.
 *
 * <p>It asks with the older of Java's two clients, because the newer begins by reading every
 * certificate that the machine trusts, which takes a third of a command's time.
 */
public final class LedgerApi {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final int CONNECT_TIMEOUT_MS = 5_000;

  /** Longer than a ledger waits for Kafka to take a change and its audit. */
  private static final int READ_TIMEOUT_MS = 20_000;

  private final String base;
  private final @Nullable String token;
  private final @Nullable SSLSocketFactory trusted;

  /** One at {@code url} that asks nobody who they are; it is asked nothing yet. */
  public LedgerApi(URI url) {
    this(url, null, null);
  }

  /**
   * One at {@code url}, which is asked nothing yet.
   *
   * @param token by which it knows who asks; null for none
   * @param trusted makes its connections over https; null for what the machine trusts
   */
  public LedgerApi(URI url, @Nullable String token, @Nullable SSLSocketFactory trusted) {
    String written = url.toString();
    this.base = written.endsWith("/") ? written.substring(0, written.length() - 1) : written;
    this.token = token;
    this.trusted = trusted;
  }

  /**
   * What was answered.
   *
   * @param text as it came
   */
  public record Answer(String text, JsonNode json) {}

  /** Where it is. */
  public String url() {
    return base;
  }

  /** The path of something of a pool, for example {@code connections}. */
  public static String ofPool(String pool, String what) {
    return "/v1/pools/" + segment(pool) + "/" + what;
  }

  /** {@code text} as one segment of a path. */
  public static String segment(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /** The names of all pools. */
  public List<String> pools() throws FailedException {
    List<String> names = new ArrayList<>();
    for (JsonNode pool : whole("/v1/pools", "pools").path("pools")) {
      names.add(pool.path("pool").asText());
    }
    return names;
  }

  /** All parts of an answer whose list may be too long for one. */
  public List<Answer> pages(String path) throws FailedException {
    List<Answer> pages = new ArrayList<>();
    String next = "";
    do {
      Answer page = get(next.isEmpty() ? path : path + "?after=" + segment(next));
      pages.add(page);
      next = page.json().path("next").asText();
    } while (!next.isEmpty());
    return pages;
  }

  /** {@link #pages} as if they were one. */
  public JsonNode whole(String path, String list) throws FailedException {
    return merged(pages(path), list);
  }

  /** The first of {@code pages}, with the entries of all of them in its {@code list}. */
  static JsonNode merged(List<Answer> pages, String list) {
    JsonNode first = pages.getFirst().json();
    if (first.path(list) instanceof ArrayNode entries) {
      for (Answer page : pages.subList(1, pages.size())) {
        page.json().path(list).forEach(entries::add);
      }
    }
    return first;
  }

  /** What is answered to a GET. */
  public Answer get(String path) throws FailedException {
    return send("GET", path, "");
  }

  /**
   * Sends something that changes the ledger.
   *
   * @param body JSON, or empty
   */
  public Answer send(String method, String path, String body) throws FailedException {
    String text = text(method, path, body);
    try {
      return new Answer(text, JSON.readTree(text));
    } catch (JsonProcessingException notJson) {
      throw FailedException.failed(
              base + path + " answered something that is no JSON: is it the right port?")
          .by(notJson);
    }
  }

  /** What is answered to a GET, whatever it is. */
  public String text(String path) throws FailedException {
    return text("GET", path, "");
  }

  private String text(String method, String path, String body) throws FailedException {
    int status;
    String answer;
    try {
      HttpURLConnection connection = open(method, path);
      if (method.equals("PUT")) {
        connection.setDoOutput(true);
        try (OutputStream out = connection.getOutputStream()) {
          out.write(body.getBytes(StandardCharsets.UTF_8));
        }
      }
      status = connection.getResponseCode();
      answer = body(connection, status);
    } catch (IOException unreachable) {
      throw FailedException.failed(
              "nothing answers at "
                  + base
                  + ": "
                  + Objects.requireNonNullElse(unreachable.getMessage(), unreachable.toString()))
          .by(unreachable);
    }
    if (status == HttpURLConnection.HTTP_OK) {
      return answer;
    }
    String message =
        "the server says "
            + status
            + ": "
            + problem(answer).orElse(path + " was answered with nothing more");
    if (status == HttpURLConnection.HTTP_UNAUTHORIZED) {
      message += " (--token-file FILE or LEDGER_TOKEN)";
    }
    throw status == HttpURLConnection.HTTP_BAD_REQUEST
        ? FailedException.wrongUsage(message)
        : FailedException.failed(message);
  }

  private HttpURLConnection open(String method, String path) throws IOException {
    if (!(URI.create(base + path).toURL().openConnection() instanceof HttpURLConnection http)) {
      throw new IOException("no HTTP");
    }
    http.setRequestMethod(method);
    http.setConnectTimeout(CONNECT_TIMEOUT_MS);
    http.setReadTimeout(READ_TIMEOUT_MS);
    http.setRequestProperty("accept", "application/json, text/plain");
    if (trusted != null && http instanceof HttpsURLConnection https) {
      https.setSSLSocketFactory(trusted);
    }
    if (token != null) {
      http.setRequestProperty("authorization", "Bearer " + token);
      // Whoever it is passed on to would have it.
      http.setInstanceFollowRedirects(false);
    }
    return http;
  }

  private static String body(HttpURLConnection connection, int status) throws IOException {
    try (InputStream in =
        status < HttpURLConnection.HTTP_BAD_REQUEST
            ? connection.getInputStream()
            : connection.getErrorStream()) {
      return in == null ? "" : new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /** The detail of an RFC 9457 problem, with its reasons where there are any. */
  private static Optional<String> problem(String body) {
    try {
      JsonNode problem = JSON.readTree(body);
      String detail = problem.path("detail").asText();
      List<String> reasons = new ArrayList<>();
      problem.path("reasons").forEach(reason -> reasons.add(reason.asText()));
      return detail.isEmpty()
          ? Optional.empty()
          : Optional.of(reasons.isEmpty() ? detail : detail + ": " + String.join("; ", reasons));
    } catch (JsonProcessingException notOurs) {
      return Optional.empty();
    }
  }
}
