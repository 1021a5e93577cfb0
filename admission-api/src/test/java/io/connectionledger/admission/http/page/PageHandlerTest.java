package io.connectionledger.admission.http.page;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PageHandlerTest {

  private static final Pattern NAMED =
      Pattern.compile("(?:from '\\./|(?:src|href)=\"/page/)([\\w.]+)['\"]");

  private final HttpClient client = HttpClient.newHttpClient();
  private final Server server = new Server();
  private final ServerConnector connector = new ServerConnector(server);

  @BeforeEach
  void start() throws Exception {
    server.addConnector(connector);
    server.setHandler(new PageHandler());
    server.start();
  }

  @AfterEach
  void stop() throws Exception {
    client.shutdownNow();
    server.stop();
  }

  private HttpResponse<String> get(String path, String... headers) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + connector.getLocalPort() + path));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void shouldAnswerEveryFileThatAFileNames() throws Exception {
    List<String> named = new ArrayList<>();
    Matcher page = NAMED.matcher(get("/").body());
    while (page.find()) {
      named.add(page.group(1));
    }
    for (int i = 0; i < named.size(); i++) {
      HttpResponse<String> file = get("/page/" + named.get(i));
      assertThat(file.statusCode()).describedAs(named.get(i)).isEqualTo(200);
      if (!named.get(i).equals("uplot.js")) {
        Matcher more = NAMED.matcher(file.body());
        while (more.find()) {
          if (!named.contains(more.group(1))) {
            named.add(more.group(1));
          }
        }
      }
    }

    assertThat(named).contains("app.js", "store.js", "uplot.js", "uplot.css", "icon.svg");
    assertThat(get("/page/nothing.js").statusCode()).isEqualTo(404);
    assertThat(get("/page/").statusCode()).isEqualTo(404);
  }

  @Test
  void shouldLetNothingRunButItsOwnFiles() throws Exception {
    HttpResponse<String> page = get("/");

    assertThat(page.headers().firstValue("content-security-policy"))
        .hasValueSatisfying(
            policy ->
                assertThat(policy)
                    .startsWith("default-src 'none'; script-src 'self'; style-src 'self';")
                    .doesNotContain("unsafe"));
    assertThat(page.headers().firstValue("x-content-type-options")).hasValue("nosniff");
    assertThat(page.body()).doesNotContain("<style", " style=", "onclick", "//");
    assertThat(page.body().split("<script", -1)).hasSize(2);
  }

  @Test
  void shouldSendAFileOnce() throws Exception {
    String tag = get("/page/store.js").headers().firstValue("etag").orElseThrow();

    assertThat(get("/page/store.js", "if-none-match", tag).statusCode()).isEqualTo(304);
    assertThat(get("/page/store.js", "if-none-match", "\"other\"").statusCode()).isEqualTo(200);
    assertThat(
            get("/page/store.js", "if-none-match", tag, "accept-encoding", "gzip")
                .headers()
                .firstValue("content-encoding"))
        .hasValue("gzip");
  }
}
