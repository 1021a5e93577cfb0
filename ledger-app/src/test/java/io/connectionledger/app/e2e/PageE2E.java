package io.connectionledger.app.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.connectionledger.app.browser.BrowserPage;
import io.connectionledger.app.browser.BrowserPage.View;
import io.connectionledger.app.browser.Chromium;
import io.connectionledger.app.websocket.WebSocketClients.Connection;
import io.connectionledger.app.websocket.WebSocketPod;
import io.connectionledger.model.Ticker;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** The page in a real Chromium, of a ledger process with real Envoys. */
@Tag("chromium")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class PageE2E {

  private static final int LIMIT = 8;
  private static final View DESK = new View(1280, 900, false);
  private static final View NIGHT = new View(1280, 900, true);
  private static final View PHONE = new View(390, 850, false);
  private static final View NIGHT_PHONE = new View(390, 850, true);
  private static final Duration SOON = Duration.ofSeconds(2);
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final int TAB = 9;
  private static final int ESCAPE = 27;
  private static final int ENTER = 13;

  /** Of the page what the API says, too, in the API's names. */
  private static final String SHOWN =
      """
      (() => {
        const of = (root, selector) => [...root.querySelectorAll(selector)];
        const number = (text) => Number(text.replaceAll(',', ''));
        return {
          figures: Object.fromEntries(of(document, '.figures [data-figure]').map((one) => [one.dataset.figure, number(one.textContent)])),
          pods: Object.fromEntries(of(document, '#table .row').map((row) => [row.dataset.address,
            ['active', 'reserved', 'lent', 'limit'].map((key) => number(row.querySelector(`div.${key}`).textContent)).join('/')])),
          rejections: Object.fromEntries(of(document, '#rejections tbody tr').map((row) => [row.cells[0].textContent.replaceAll(' ', '_'),
            of(row, 'td').map((cell) => number(cell.textContent)).join('/')])),
          scaleDown: of(document, '#scaling tbody tr').map((row) => [...row.cells].map((cell) => cell.textContent).join(' ')),
          envoys: Object.fromEntries(of(document, '#envoys tbody tr').map((row) => [row.cells[0].textContent, number(row.cells[1].textContent)])),
          complete: document.querySelector('#envoys .head .note').textContent,
          source: document.querySelector('#policy .head .note').textContent,
          limit: number(document.getElementById('perPodMaxConnections').value),
          decisions: of(document, '.decisions li').map((item) => item.dataset.id),
        };
      })()""";

  /** What the charts draw, in the API's names, with its time of each value. */
  private static final String DRAWN =
      """
      Object.fromEntries([...document.querySelectorAll('#history .plot')].flatMap(({ uplot }) =>
        uplot.series.slice(1).map((one, i) => [one.label, Object.fromEntries(
          uplot.data[0].map((at, place) => [at, uplot.data[i + 1][place]]))])))""";

  private final List<Connection> in = new ArrayList<>();
  private List<WebSocketPod> pods = List.of();
  private ServeProcess ledger;
  private Fleet chat;
  private Chromium browser;
  private BrowserPage page;

  @BeforeAll
  void start(@TempDir Path folder) throws Exception {
    pods = Fleet.pods(3);
    ledger = ServeProcess.start(folder, ServeProcess.pool("chat", LIMIT, pods));
    chat = Fleet.start("chat", pods, 2, ledger.ports(), folder);
    browser = Chromium.start(Chromium.find().orElseThrow());
    awaitLedger();
  }

  private void awaitLedger() {
    Awaitility.await("the ledger is ready")
        .atMost(Duration.ofMinutes(2))
        .until(() -> ledger.http().find("/health/ready").isPresent() && chat.ready());
  }

  @BeforeEach
  void nobodyIsThere() {
    chat.awaitActive(0);
  }

  @AfterEach
  void theAttemptsLeave() throws Exception {
    page.close();
    Fleet.close(in);
    in.clear();
  }

  @AfterAll
  void stop() throws Exception {
    browser.close();
    chat.close();
    ledger.close();
  }

  private void open(String path, View view) throws Exception {
    page = browser.open(URI.create("http://127.0.0.1:" + ledger.ports().http() + path), view);
    await(PATIENCE, () -> assertThat(shows("#link[data-state=live]")).isTrue());
  }

  private boolean shows(String selector) throws Exception {
    return page.eval("document.querySelector(`" + selector + "`) !== null").asBoolean();
  }

  private String text(String selector) throws Exception {
    return page.eval("document.querySelector(`" + selector + "`)?.innerText ?? ''").asText();
  }

  private static void await(Duration patience, ThrowingRunnable assertion) {
    Awaitility.await()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(50))
        // Of a view that is only being made there is not every part yet.
        .ignoreExceptionsInstanceOf(IOException.class)
        .atMost(patience)
        .untilAsserted(assertion);
  }

  private JsonNode api(String question) {
    return LedgerHttp.json(ledger.http().find("/v1/pools/chat/" + question).orElseThrow());
  }

  private void pageIsClean() {
    assertThat(page.complaints()).isEmpty();
    assertThat(page.requests())
        .isNotEmpty()
        .allMatch(uri -> "data".equals(uri.getScheme()) || isLedger(uri));
  }

  private boolean isLedger(URI uri) {
    return uri.toString().equals("about:blank")
        || ("127.0.0.1".equals(uri.getHost()) && uri.getPort() == ledger.ports().http());
  }

  /** Compares everything that it shows in numbers with the API's answers of the same moment. */
  private void pageSaysWhatTheApiSays() throws Exception {
    JsonNode shown = page.eval(SHOWN);
    JsonNode all = api("detailed");
    JsonNode scaling = api("scaling");
    JsonNode figures = shown.path("figures");
    assertThat(figures.path("active").asInt()).isEqualTo(all.path("active").asInt());
    assertThat(figures.path("reserved").asInt()).isEqualTo(all.path("reserved").asInt());
    assertThat(figures.path("lent").asInt()).isEqualTo(api("figures").path("lent").asInt());
    assertThat(figures.path("pods").asInt()).isEqualTo(pods.size());
    JsonNode policy = api("policy");
    int limit = policy.path("perPodMaxConnections").asInt();
    assertThat(figures.path("limit").asInt()).isEqualTo(pods.size() * limit);
    assertThat(shown.path("limit").asInt()).isEqualTo(limit);
    assertThat(shown.path("source").asText())
        .isEqualTo(
            policy.path("source").asText().equals("api") ? "changed by the API" : "as configured");
    assertThat(figures.path("desiredPods").asInt()).isEqualTo(all.path("desiredPods").asInt());
    assertThat(figures.path("rejected").asLong()).isEqualTo(sum(all.path("windows").path("5m")));
    Map<String, String> held = new TreeMap<>();
    all.path("pods")
        .forEach(
            pod ->
                held.put(
                    pod.path("address").asText(),
                    "%d/%d/%d/%d"
                        .formatted(
                            pod.path("active").asInt(),
                            pod.path("reserved").asInt(),
                            pod.path("lent").asInt(),
                            pod.path("limit").asInt())));
    assertThat(byName(shown.path("pods"))).isEqualTo(held);
    Map<String, String> rejected = new TreeMap<>();
    all.path("windows")
        .path("1h")
        .fieldNames()
        .forEachRemaining(
            reason ->
                rejected.put(
                    reason,
                    List.of("5m", "15m", "1h").stream()
                        .map(window -> all.path("windows").path(window).path(reason).asText("0"))
                        .collect(Collectors.joining("/"))));
    assertThat(byName(shown.path("rejections"))).isEqualTo(rejected);
    List<String> order = new ArrayList<>();
    scaling
        .path("scaleDown")
        .forEach(
            pod ->
                order.add(
                    "%s %s %s"
                        .formatted(
                            pod.path("priority").asText(),
                            pod.path("pod").asText(),
                            pod.path("active").asText())));
    assertThat(strings(shown.path("scaleDown"))).isEqualTo(order);
    Map<String, String> envoys = new TreeMap<>();
    all.path("readiness")
        .path("envoys")
        .forEach(
            envoy -> envoys.put(envoy.path("node").asText(), envoy.path("connections").asText()));
    assertThat(byName(shown.path("envoys"))).isEqualTo(envoys);
    assertThat(shown.path("complete").asText())
        .startsWith(
            (int) Math.floor(all.path("readiness").path("completeness").asDouble() * 100) + " %");
    List<String> decided = api("decisions?limit=100").path("decisions").findValuesAsText("id");
    assertThat(strings(shown.path("decisions"))).isEqualTo(decided.reversed());
  }

  /** Compares what the charts draw with the API's answer, where they have the same moments. */
  private void chartsShowTheLastHour() throws Exception {
    JsonNode drawn = page.eval(DRAWN);
    JsonNode past = api("history");
    Map<String, JsonNode> series = new TreeMap<>();
    series.put("open", past.path("active"));
    for (String name : List.of("opened", "closed", "failed")) {
      series.put(name, past.path(name));
    }
    past.path("rejected").properties().forEach(one -> series.put(one.getKey(), one.getValue()));
    assertThat(drawn.fieldNames())
        .toIterable()
        .containsExactlyInAnyOrderElementsOf(series.keySet());
    long fromSeconds = Instant.parse(past.path("from").asText()).getEpochSecond();
    long bucketSeconds = past.path("bucketSeconds").asLong();
    int compared = 0;
    for (Map.Entry<String, JsonNode> one : series.entrySet()) {
      for (int i = 0; i < one.getValue().size(); i++) {
        JsonNode value = drawn.path(one.getKey()).path("" + (fromSeconds + i * bucketSeconds));
        if (!value.isMissingNode()) {
          compared++;
          assertThat(value.asLong())
              .as("%s, bucket %d", one.getKey(), i)
              .isEqualTo(one.getValue().path(i).asLong());
        }
      }
    }
    assertThat(compared).isGreaterThan(100);
  }

  private static List<String> strings(JsonNode array) {
    List<String> strings = new ArrayList<>();
    array.forEach(one -> strings.add(one.asText()));
    return strings;
  }

  private static Map<String, String> byName(JsonNode object) {
    Map<String, String> strings = new TreeMap<>();
    object.properties().forEach(entry -> strings.put(entry.getKey(), entry.getValue().asText()));
    return strings;
  }

  private static long sum(JsonNode counts) {
    long sum = 0;
    for (JsonNode count : counts) {
      sum += count.asLong();
    }
    return sum;
  }

  @Test
  @Order(1)
  void shouldShowWhatTheApiSaysWithinTwoSecondsWhileConnectionsComeAndGo() throws Exception {
    open("/#/pools/chat", DESK);
    Random random = new Random(22);
    Ticker ticker = Ticker.system();
    List<Duration> delays = new ArrayList<>();

    for (int round = 0; round < 6; round++) {
      in.addAll(Fleet.opened(chat.attempt(4 + random.nextInt(8), Map.of())));
      List<Connection> leaving = new ArrayList<>(in.subList(0, in.size() / 3));
      Fleet.close(leaving);
      in.removeAll(leaving);
      chat.awaitActive(in.size());

      long beganNanos = ticker.nowNanos();
      await(PATIENCE, this::pageSaysWhatTheApiSays);
      delays.add(Duration.ofNanos(ticker.nowNanos() - beganNanos));
    }
    // A pause of the machine may meet one of them.
    Collections.sort(delays);
    assertThat(delays.get(delays.size() / 2)).as("of %s", delays).isLessThanOrEqualTo(SOON);

    assertThat(text("#link")).isEqualTo("Live");
    await(PATIENCE, this::chartsShowTheLastHour);
    pageIsClean();
  }

  @Test
  @Order(2)
  void shouldSayWhichPartCannotBeReadAndWhy() throws Exception {
    open("/", DESK);
    page.block(List.of("*/chat/history*", "*/chat/decisions*"));
    page.eval("location.hash = '#/pools/chat'");
    await(
        PATIENCE,
        () ->
            assertThat(text(".incomplete"))
                .contains(
                    "Not up to date: the last hour, decisions. They cannot be read: the ledger"
                        + " does not answer."));
    await(PATIENCE, () -> assertThat(text("#link")).isEqualTo("Live"));

    page.block(List.of());
    await(PATIENCE, () -> assertThat(text(".incomplete")).doesNotContain("Not up to date"));
    await(PATIENCE, this::pageSaysWhatTheApiSays);
  }

  @Test
  @Order(3)
  void shouldShowAllPoolsAtAGlance() throws Exception {
    in.addAll(chat.open(5));
    open("/", DESK);

    await(
        PATIENCE,
        () -> {
          assertThat(text("[data-pool=chat] [data-figure=active]")).isEqualTo("5");
          assertThat(text("[data-pool=chat] .of")).contains("of 24 open");
        });
    page.click("[data-pool=chat] a");
    await(PATIENCE, this::pageSaysWhatTheApiSays);
    pageIsClean();
  }

  @Test
  @Order(4)
  void shouldDrainByMouse() throws Exception {
    in.addAll(chat.open(9));
    open("/#/pools/chat", DESK);
    String row = row(1);
    await(PATIENCE, () -> assertThat(shows(row + " .act button")).isTrue());

    page.click(row + " .act button");
    page.click("#pace-within");
    page.click("dialog button[type=submit]");

    await(PATIENCE, () -> assertThat(draining()).containsExactly(address(1)));
    await(PATIENCE, () -> assertThat(text(row + " span.state")).matches("draining: \\d left, .*"));
    assertThat(api("connections").path("pods").path(1).has("drainUntil")).isTrue();

    page.click(row + " .act button");
    await(PATIENCE, () -> assertThat(draining()).isEmpty());
    await(PATIENCE, () -> assertThat(text(row + " span.state")).doesNotContain("drain"));
    pageIsClean();
  }

  @Test
  @Order(5)
  void shouldDrainByKeyboard() throws Exception {
    open("/#/pools/chat", DESK);
    await(PATIENCE, () -> assertThat(shows(row(2) + " .act button")).isTrue());

    tabTo("Drain pod-3");
    page.press("Enter", ENTER);
    await(PATIENCE, () -> assertThat(shows("dialog[open]")).isTrue());
    page.press("Enter", ENTER);

    await(PATIENCE, () -> assertThat(draining()).containsExactly(address(2)));
    await(PATIENCE, () -> assertThat(text(row(2) + " span.state")).isEqualTo("drained"));
    // Whoever closes a dialog is where they were before.
    assertThat(focused()).isEqualTo("Undrain pod-3");
    page.press("Enter", ENTER);
    await(PATIENCE, () -> assertThat(draining()).isEmpty());
    pageIsClean();
  }

  private void tabTo(String label) throws Exception {
    for (int tabs = 0; tabs < 60 && !focused().equals(label); tabs++) {
      page.press("Tab", TAB);
    }
    assertThat(focused()).isEqualTo(label);
  }

  private String focused() throws Exception {
    return page.eval("document.activeElement.getAttribute('aria-label') ?? ''").asText();
  }

  private String address(int pod) {
    return pods.get(pod).address().toString();
  }

  private String row(int pod) {
    return "#table .row[data-address='" + address(pod) + "']";
  }

  private List<String> draining() {
    List<String> draining = new ArrayList<>();
    api("policy").path("draining").forEach(pod -> draining.add(pod.asText()));
    return draining;
  }

  @Test
  @Order(6)
  void shouldShowDecisionsAsTheyHappenAndWhy() throws Exception {
    open("/#/pools/chat", DESK);
    in.addAll(Fleet.opened(chat.attempt(3 * LIMIT + 2, Map.of())));

    await(PATIENCE, () -> assertThat(shows(".decisions [data-outcome=rejected]")).isTrue());
    page.eval(
        """
        const outcome = document.querySelector('#decisions select');
        outcome.value = 'rejected';
        outcome.dispatchEvent(new Event('change'));""");
    assertThat(shows(".decisions [data-outcome=allowed]")).isFalse();
    String id = page.eval("document.querySelector('.decisions li').dataset.id").asText();
    page.click(".decisions li button");

    await(PATIENCE, () -> assertThat(text("dialog .verdict")).startsWith("rejected: "));
    String rule =
        LedgerHttp.json(ledger.http().find("/v1/decisions/" + id).orElseThrow())
            .path("rule")
            .asText();
    assertThat(text("dialog .verdict")).isEqualTo("rejected: " + rule + ".");
    assertThat(text("dialog dl")).contains(id, "pod limit");
    pageIsClean();
  }

  @Test
  @Order(7)
  void shouldPreviewAPolicyBeforeItIsSet() throws Exception {
    open("/#/pools/chat", DESK);
    await(PATIENCE, this::pageSaysWhatTheApiSays);
    assertThat(page.eval("document.querySelector('#policy .strong').disabled").asBoolean())
        .isTrue();

    fill("perPodMaxConnections", "0");
    page.click("#policy button[type=submit]");
    await(PATIENCE, () -> assertThat(text("#policy p.outcome")).contains("is 0: allowed is"));
    assertThat(page.complaints()).hasSize(1);

    fill("perPodMaxConnections", Integer.toString(LIMIT + 1));
    page.click("#policy button[type=submit]");
    await(PATIENCE, () -> assertThat(text(".preview table")).contains("Attempts", "Admitted"));
    assertThat(api("policy").path("perPodMaxConnections").asInt()).isEqualTo(LIMIT);
    page.click("#policy .strong");

    await(PATIENCE, () -> assertThat(text("#policy p.outcome")).startsWith("The policy is set."));
    assertThat(api("policy").path("perPodMaxConnections").asInt()).isEqualTo(LIMIT + 1);
    await(PATIENCE, this::pageSaysWhatTheApiSays);
    ledger.http().change("DELETE", "/v1/pools/chat/policy", "");
  }

  private void fill(String id, String value) throws Exception {
    page.eval("document.getElementById('" + id + "').select()");
    page.click("#" + id);
    page.eval("document.getElementById('" + id + "').select()");
    page.write(value);
  }

  @Test
  @Order(8)
  void shouldBeAccessible() throws Exception {
    in.addAll(chat.open(4));
    open("/", DESK);
    await(PATIENCE, () -> assertThat(shows(".pools h2")).isTrue());
    Axe.load(page);
    isAccessible("body", DESK);
    isAccessible("body", NIGHT_PHONE);
    page.close();

    open("/#/pools/chat", DESK);
    await(PATIENCE, () -> assertThat(shows(".decisions li")).isTrue());
    pageIsClean();
    Axe.load(page);
    for (View view : List.of(DESK, NIGHT, PHONE, NIGHT_PHONE)) {
      isAccessible("body", view);
    }
    page.click(".decisions li button");
    await(PATIENCE, () -> assertThat(shows("dialog .verdict")).isTrue());
    isAccessible("dialog", NIGHT_PHONE);
    isAccessible("dialog", DESK);
    page.press("Escape", ESCAPE);
    await(PATIENCE, () -> assertThat(shows("dialog")).isFalse());
    page.click(row(0) + " .act button");
    await(PATIENCE, () -> assertThat(shows("dialog #within")).isTrue());
    isAccessible("dialog", NIGHT_PHONE);
    isAccessible("dialog", DESK);
    page.press("Escape", ESCAPE);
    await(PATIENCE, () -> assertThat(shows("dialog")).isFalse());
    page.click("#policy button[type=submit]");
    await(PATIENCE, () -> assertThat(shows(".preview table")).isTrue());
    isAccessible("#policy", NIGHT_PHONE);
    isAccessible("#policy", DESK);
  }

  /** Nothing that axe-core calls serious, and nothing beside the screen. */
  private void isAccessible(String part, View view) throws Exception {
    page.look(view);
    page.eval("new Promise(requestAnimationFrame)");
    assertThat(Axe.faults(page, part)).as("%s in %s", part, view).isEmpty();
    assertThat(page.eval("document.documentElement.scrollWidth").asInt())
        .isLessThanOrEqualTo(view.width());
  }

  @Test
  @Order(9)
  void shouldSayThatTheInstanceIsGoneAndResume() throws Exception {
    in.addAll(chat.open(4));
    open("/#/pools/chat", DESK);
    await(PATIENCE, this::pageSaysWhatTheApiSays);

    ledger.kill();
    await(
        PATIENCE,
        () -> {
          assertThat(text("#link")).startsWith("Connection lost");
          assertThat(text(".incomplete")).contains("The connection to this instance is lost");
        });
    ledger.restart();
    awaitLedger();

    await(PATIENCE, () -> assertThat(text("#link")).isEqualTo("Live"));
    await(PATIENCE, this::pageSaysWhatTheApiSays);
    assertThat(text(".incomplete")).doesNotContain("lost");
    assertThat(page.headersOf("/v1/pools/chat/stream"))
        .last()
        .satisfies(headers -> assertThat(headers.has("last-event-id")).isTrue());
  }
}
