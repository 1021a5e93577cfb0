package io.connectionledger.app.browser;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A Chromium without a window, with a profile of its own that ends with it. Not thread-safe; its
 * pages may be used by other threads.
 */
public final class Chromium implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String LISTENING = "DevTools listening on ";
  private static final int STOP_SECONDS = 10;

  private static final List<String> PROGRAMS =
      List.of("chromium", "chromium-browser", "google-chrome", "google-chrome-stable");

  private final Process process;
  private final Path profile;
  private final HttpClient client = HttpClient.newHttpClient();
  private final URI devTools;

  private Chromium(Process process, Path profile, URI devTools) {
    this.process = process;
    this.profile = profile;
    this.devTools = devTools;
  }

  /** The Chromium on the {@code PATH}; empty when there is none. */
  public static Optional<Path> find() {
    String[] folders = System.getenv().getOrDefault("PATH", "").split(File.pathSeparator);
    return PROGRAMS.stream()
        .flatMap(name -> Arrays.stream(folders).map(folder -> Path.of(folder, name)))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /**
   * Starts one.
   *
   * @param program as {@link #find} says
   * @throws IOException when it does not start
   */
  public static Chromium start(Path program) throws IOException {
    Path profile = Files.createTempDirectory("ledger-chromium-");
    List<String> command =
        new ArrayList<>(
            List.of(
                program.toString(),
                "--headless=new",
                "--remote-debugging-port=0",
                "--user-data-dir=" + profile,
                "--no-first-run",
                "--no-default-browser-check",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-dev-shm-usage",
                "--disable-gpu",
                "--hide-scrollbars",
                "--force-color-profile=srgb"));
    if (System.getProperty("user.name", "").equals("root")) {
      // Chromium's sandbox refuses to work for root.
      command.add("--no-sandbox");
    }
    command.add("about:blank");
    Process process =
        new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    try {
      return new Chromium(process, profile, listening(process));
    } catch (IOException failed) {
      process.destroyForcibly();
      delete(profile);
      throw failed;
    }
  }

  /** Reads what it writes until it says where it listens, and whatever follows to nowhere. */
  private static URI listening(Process process) throws IOException {
    BufferedReader said = process.errorReader(StandardCharsets.UTF_8);
    List<String> before = new ArrayList<>();
    for (String line = said.readLine(); line != null; line = said.readLine()) {
      if (line.startsWith(LISTENING)) {
        URI browser = URI.create(line.substring(LISTENING.length()).strip());
        Thread.ofVirtual().start(() -> said.lines().forEach(unread -> {}));
        return URI.create("http://127.0.0.1:" + browser.getPort());
      }
      before.add(line);
    }
    throw new IOException("Chromium does not start: " + String.join(" ", before));
  }

  /**
   * Opens another page.
   *
   * @param url of what it shows
   */
  public BrowserPage open(URI url, BrowserPage.View view) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(devTools.resolve("/json/new?about:blank"))
            .method("PUT", HttpRequest.BodyPublishers.noBody())
            .build();
    JsonNode target =
        JSON.readTree(client.send(request, HttpResponse.BodyHandlers.ofString()).body());
    URI socket = URI.create(target.path("webSocketDebuggerUrl").asText());
    BrowserPage page = new BrowserPage(DevTools.connect(client, socket));
    page.show(url, view);
    return page;
  }

  /** Ends it and all of its pages. */
  @Override
  public void close() {
    client.shutdownNow();
    List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
    all.add(process.toHandle());
    all.forEach(ProcessHandle::destroyForcibly);
    all.forEach(one -> one.onExit().completeOnTimeout(one, STOP_SECONDS, TimeUnit.SECONDS).join());
    delete(profile);
  }

  private static void delete(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException left) {
      throw new UncheckedIOException("a profile of Chromium is left in " + folder, left);
    }
  }
}
