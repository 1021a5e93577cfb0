package io.connectionledger.app.browser;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** One page of a {@link Chromium}, as somebody sees and uses it. Thread-safe. */
public final class BrowserPage implements AutoCloseable {

  /** Some ten seconds for a click. */
  private static final int FRAMES = 600;

  private final DevTools tools;

  /**
   * How it is looked at.
   *
   * @param width of the window, in CSS pixels
   */
  public record View(int width, int height, boolean dark) {

    Map<String, Object> metrics() {
      return Map.of(
          "width", width, "height", height, "deviceScaleFactor", 1, "mobile", width < 600);
    }

    Map<String, Object> media() {
      return Map.of(
          "features",
          List.of(Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light")));
    }
  }

  BrowserPage(DevTools tools) {
    this.tools = tools;
  }

  void show(URI url, View view) throws IOException, InterruptedException {
    for (String domain : List.of("Page", "Runtime", "Log", "Network")) {
      tools.call(domain + ".enable", Map.of());
    }
    tools.call("Performance.enable", Map.of("timeDomain", "threadTicks"));
    look(view);
    tools.call("Page.navigate", Map.of("url", url.toString()));
  }

  /** Looks at it in another way from now on. */
  public void look(View view) throws IOException, InterruptedException {
    tools.call("Emulation.setDeviceMetricsOverride", view.metrics());
    tools.call("Emulation.setEmulatedMedia", view.media());
  }

  /** Has a script run before those of the page, whenever it is loaded from now on. */
  public void prepend(String script) throws IOException, InterruptedException {
    tools.call("Page.addScriptToEvaluateOnNewDocument", Map.of("source", script));
  }

  /** Lets no request for these addresses leave the browser, where {@code *} is anything. */
  public void block(List<String> patterns) throws IOException, InterruptedException {
    tools.call("Network.setBlockedURLs", Map.of("urls", patterns));
  }

  /**
   * The value of an expression in the page, of its promise where it is one.
   *
   * @throws IOException with what the page says when it throws
   */
  public JsonNode eval(String expression) throws IOException, InterruptedException {
    JsonNode answer =
        tools.call(
            "Runtime.evaluate",
            Map.of("expression", expression, "awaitPromise", true, "returnByValue", true));
    if (answer.has("exceptionDetails")) {
      throw new IOException(answer.path("exceptionDetails").toString());
    }
    return answer.path("result").path("value");
  }

  /**
   * Clicks with the mouse in the middle of the first element that the selector finds, once it has
   * come to rest there and nothing covers it, as a page moves while its parts fill.
   *
   * @throws IOException when that takes more than some ten seconds
   */
  public void click(String selector) throws IOException, InterruptedException {
    JsonNode at =
        eval(
            """
            (async () => {
              const selector = `%s`;
              let last = '';
              for (let frame = 0; frame < %d; frame++) {
                const one = document.querySelector(selector);
                if (one) {
                  one.scrollIntoView({ block: 'center' });
                  const box = one.getBoundingClientRect();
                  const at = [box.x + box.width / 2, box.y + box.height / 2];
                  if (last === String(at) && one.contains(document.elementFromPoint(...at))) {
                    return at;
                  }
                  last = String(at);
                }
                await new Promise(requestAnimationFrame);
              }
              throw new Error(`${selector} is not there, moves or is covered`);
            })()"""
                .formatted(selector, FRAMES));
    for (String type : List.of("mousePressed", "mouseReleased")) {
      tools.call(
          "Input.dispatchMouseEvent",
          Map.of(
              "type",
              type,
              "x",
              at.path(0).asDouble(),
              "y",
              at.path(1).asDouble(),
              "button",
              "left",
              "clickCount",
              1));
    }
  }

  /** Presses and releases a key that writes nothing, or Enter. */
  public void press(String key, int code) throws IOException, InterruptedException {
    for (String type : List.of("keyDown", "keyUp")) {
      tools.call(
          "Input.dispatchKeyEvent",
          key.equals("Enter")
              ? Map.of("type", type, "key", key, "windowsVirtualKeyCode", code, "text", "\r")
              : Map.of("type", type, "key", key, "windowsVirtualKeyCode", code));
    }
  }

  /** Writes where the cursor is. */
  public void write(String text) throws IOException, InterruptedException {
    tools.call("Input.insertText", Map.of("text", text));
  }

  /** What is seen of it, as PNG. */
  public byte[] picture() throws IOException, InterruptedException {
    JsonNode answer = tools.call("Page.captureScreenshot", Map.of("format", "png"));
    return Base64.getDecoder().decode(answer.path("data").asText());
  }

  /** The processor time that scripts, style, layout and painting have taken in it. */
  public double mainThreadSeconds() throws IOException, InterruptedException {
    for (JsonNode metric : tools.call("Performance.getMetrics", Map.of()).path("metrics")) {
      if (metric.path("name").asText().equals("TaskDuration")) {
        return metric.path("value").asDouble();
      }
    }
    throw new IOException("the browser does not tell how long its tasks take");
  }

  /** The addresses that it has asked. */
  public List<URI> requests() {
    return tools.events("Network.requestWillBeSent").stream()
        .map(event -> URI.create(event.path("request").path("url").asText()))
        .toList();
  }

  /** The headers of each request for a path, in their order. */
  public List<JsonNode> headersOf(String path) {
    return tools.events("Network.requestWillBeSent").stream()
        .map(event -> event.path("request"))
        .filter(request -> URI.create(request.path("url").asText()).getPath().equals(path))
        .map(request -> request.path("headers"))
        .toList();
  }

  /** What it has said on the console, its own errors and the browser's, a line each. */
  public List<String> complaints() {
    return Stream.of(
            tools.events("Runtime.exceptionThrown").stream(),
            tools.events("Log.entryAdded").stream(),
            tools.events("Runtime.consoleAPICalled").stream())
        .flatMap(events -> events)
        .map(JsonNode::toString)
        .toList();
  }

  /** Closes it in the browser, too, which would keep its connections otherwise. */
  @Override
  public void close() throws IOException, InterruptedException {
    try (DevTools last = tools) {
      last.call("Page.close", Map.of());
    }
  }
}
