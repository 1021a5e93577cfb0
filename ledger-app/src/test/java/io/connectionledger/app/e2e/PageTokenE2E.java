package io.connectionledger.app.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.connectionledger.admission.peer.proto.LendRequest;
import io.connectionledger.admission.peer.proto.PeerGrpc;
import io.connectionledger.app.browser.BrowserPage;
import io.connectionledger.app.browser.BrowserPage.View;
import io.connectionledger.app.browser.Chromium;
import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.serve.LedgerNode;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.Topics;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RecordCodec;
import io.connectionledger.model.event.RejectionReason;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** The page in a real Chromium, of a ledger that asks who looks, and that has much to show. */
@Tag("chromium")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PageTokenE2E {

  private static final String OPERATOR = "operator-token-of-this-test";
  private static final String READER = "reader-token-of-this-test";
  private static final int ESCAPE = 27;
  private static final int HOME = 36;
  private static final String DRAIN = "#table .row .act button";
  private static final String PREVIEW = "#policy button[type=submit]";
  private static final String OUTCOME = "#policy p.outcome";
  private static final String LATER = ".overview nav a:last-child";
  private static final String REFUSED = "Your token may not do this";
  private static final String POOL = "/#/pools/chat";
  private static final int POOLS = 1_000;
  private static final int MANY = 10_000;

  private LedgerNode ledger;
  private Chromium browser;

  @BeforeAll
  void start(@TempDir Path folder) throws Exception {
    ledger = ledger(folder);
    browser = Chromium.start(Chromium.find().orElseThrow());
    await(() -> assertThat(ledger.unready()).isEmpty());
  }

  @AfterAll
  void stop() {
    browser.close();
    ledger.close();
  }

  private BrowserPage open(String path) throws Exception {
    URI page = URI.create("http://127.0.0.1:" + ledger.httpPort().orElseThrow() + path);
    return browser.open(page, new View(1280, 900, false));
  }

  @Test
  void shouldSayWhatARoleMayNot() throws Exception {
    try (BrowserPage page = open(POOL)) {
      await(() -> assertThat(isAsking(page)).isTrue());
      Axe.load(page);
      assertThat(Axe.faults(page, "dialog")).isEmpty();
      page.press("Escape", ESCAPE);
      enter(page, "no-token-that-it-knows");
      await(() -> assertThat(text(page, "dialog")).contains("does not take this token"));
      enter(page, READER);
      await(() -> assertThat(text(page, "#table")).contains("pod-1"));

      drain(page);
      await(() -> assertThat(text(page, "dialog")).contains(REFUSED));
      page.press("Escape", ESCAPE);
      page.click(PREVIEW);
      await(() -> assertThat(text(page, OUTCOME)).contains(REFUSED));
    }
  }

  @Test
  void shouldShowTheAuditLineOfADrain() throws Exception {
    try (BrowserPage page = open(POOL)) {
      enter(page, OPERATOR);
      await(() -> assertThat(text(page, "#table")).contains("pod-1"));

      drain(page);
      await(() -> assertThat(text(page, "#told")).contains("is draining. Audit: "));
      await(() -> assertThat(text(page, "#table")).contains("drained"));
      page.click(DRAIN);
      await(() -> assertThat(text(page, "#told")).contains("again. Audit: "));
    }
  }

  @Test
  void shouldSayThatAnOperatorMayTryAPolicyAndNotSetIt() throws Exception {
    try (BrowserPage page = open(POOL)) {
      enter(page, OPERATOR);
      await(() -> assertThat(text(page, "#policy .note")).isEqualTo("as configured"));

      page.click("#perPodMaxConnections");
      page.write("0");
      page.click(PREVIEW);
      await(() -> assertThat(text(page, ".preview")).contains("With connections a pod: 80"));
      page.click("#policy .strong");

      await(() -> assertThat(text(page, OUTCOME)).contains(REFUSED));
      assertThat(text(page, "#policy .note")).isEqualTo("as configured");
    }
  }

  @Test
  void shouldShowWhatIsLentToOtherInstances() throws Exception {
    try (BrowserPage page = open(POOL)) {
      enter(page, READER);
      await(() -> assertThat(text(page, "#table")).contains("available"));
      borrow();

      await(
          () -> {
            assertThat(text(page, ".figures [data-figure=lent]")).isEqualTo("2");
            assertThat(text(page, "#table .row .lent")).isEqualTo("2");
            assertThat(text(page, "#pods .legend")).contains("lent");
          });
      JsonNode answer =
          page.eval(
              """
              fetch('/v1/pools/chat/connections', { headers: { authorization: `Bearer ${sessionStorage.getItem('ledger-token')}` } })
                .then((answer) => answer.json())""");
      assertThat(answer.path("pods").path(0).path("lent").asInt()).isEqualTo(2);
      page.eval("document.querySelector('.stage').focus()");
      page.press("Home", HOME);
      assertThat(text(page, ".tip")).isEqualTo("pod-1: 0 open, 2 reserved (2 lent) of 8");
    }
  }

  @Test
  void shouldShowForHowManyARecordOfAFloodStands() throws Exception {
    long now = Ticker.system().nowMs();
    String id = ConnectionIds.next(now);
    try (BrowserPage page = open(POOL)) {
      enter(page, READER);
      await(() -> assertThat(text(page, "#table")).contains("available"));
      recordAFlood(id, now);

      await(
          () -> {
            assertThat(text(page, ".decisions [data-id='" + id + "'] .about"))
                .isEqualTo("rate limited × 1,234");
            assertThat(text(page, "#rejections")).contains("1,234");
          });
      page.click(".decisions [data-id='" + id + "'] button");
      await(() -> assertThat(text(page, "dialog dl")).contains("1,234 checks since "));
    }
  }

  /** As an instance does of one that rejects more in a second than it tells one by one. */
  private void recordAFlood(String id, long now) {
    Decision.Rejected flood =
        new Decision.Rejected(
            "chat", id, RejectionReason.RATE_LIMITED, null, 1, now, null, null, 1_234, now - 900);
    try (KafkaProducer<String, byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", ledger.bootstrapServers()),
            new StringSerializer(),
            new ByteArraySerializer())) {
      var unused =
          producer.send(
              new ProducerRecord<>(Topics.DECISIONS, flood.pool(), RecordCodec.encode(flood)));
    }
  }

  /** As another instance does. */
  private void borrow() {
    ManagedChannel owner =
        NettyChannelBuilder.forAddress("127.0.0.1", ledger.peersPort().orElseThrow())
            .usePlaintext()
            .build();
    try {
      LendRequest request = LendRequest.newBuilder().setPool("chat").setBorrower("another").build();
      assertThat(PeerGrpc.newBlockingStub(owner).lend(request).getLoan().getAddedCount())
          .isEqualTo(2);
    } finally {
      owner.shutdownNow();
    }
  }

  @Test
  void shouldNotSayThatTheConnectionIsLostWhileSomebodyLooksForAToken() throws Exception {
    try (BrowserPage page = open("/openapi.json")) {
      // Half a minute is over at once.
      page.prepend(
          """
          const real = window.setTimeout;
          window.setTimeout = (what, ms, ...more) => {
            const isLong = ms > 20000 && !window.isLate;
            if (isLong) {
              real(() => (window.isLate = true), 200);
            }
            return real(what, isLong ? 100 : ms, ...more);
          };
          window.states = [];
          document.addEventListener('DOMContentLoaded', () => {
            const link = document.getElementById('link');
            new MutationObserver(() => window.states.push(link.dataset.state)).observe(link, { attributes: true });
          });""");
      page.eval("location.assign('" + POOL + "')");
      await(() -> assertThat(page.eval("window.isLate === true").asBoolean()).isTrue());
      enter(page, READER);
      await(() -> assertThat(page.eval("window.states.includes('live')").asBoolean()).isTrue());

      assertThat(page.eval("window.states.includes('lost')").asBoolean()).isFalse();
    }
  }

  @Test
  void shouldShowManyPoolsPartByPart() throws Exception {
    try (BrowserPage page = open("/")) {
      enter(page, READER);
      await(() -> assertThat(range(page)).isEqualTo("1 to 200 of 1,000, by name"));
      assertThat(text(page, "#pools option")).isEqualTo("All pools (1,000)");
      assertThat(page.eval("document.querySelectorAll('.pools li').length").asInt()).isEqualTo(200);

      page.click(LATER);
      await(() -> assertThat(range(page)).isEqualTo("201 to 400 of 1,000, by name"));
      page.click(LATER);
      await(() -> assertThat(range(page)).isEqualTo("401 to 600 of 1,000, by name"));
      page.click(".overview nav a:first-child");
      await(() -> assertThat(range(page)).isEqualTo("201 to 400 of 1,000, by name"));
    }
  }

  @Test
  void shouldShowTenThousandPodsWithoutStutter() throws Exception {
    try (BrowserPage page = open("/#/pools/many");
        CheckCrowd crowd = CheckCrowd.of("many", List.of(ledger.authzPort().orElseThrow()))) {
      enter(page, READER);
      await(() -> assertThat(text(page, "#table .tools .note")).isEqualTo("10,000 of 10,000"));
      assertThat(text(page, ".figures [data-figure=limit]")).isEqualTo("200,000");
      crowd.start();
      await(() -> assertThat(text(page, ".figures [data-figure=reserved]")).matches("[\\d,]{2,}"));

      double before = page.mainThreadSeconds();
      JsonNode moved =
          page.eval(
              """
                new Promise((done) => {
                  const scroller = document.querySelector('.scroller');
                  const canvas = document.querySelector('canvas');
                  const painted = Number(canvas.dataset.paints);
                  const start = performance.now();
                  let frames = 0;
                  (function frame(now) {
                    frames++;
                    scroller.scrollTop += 700;
                    if (performance.now() - start < 2500) {
                      requestAnimationFrame(frame);
                    } else {
                      done({ updates: Number(canvas.dataset.paints) - painted, frames, rate: frames * 1000 / (performance.now() - start) });
                    }
                  })();
                })""");

      double perFrame = (page.mainThreadSeconds() - before) / moved.path("frames").asDouble();
      System.out.printf(
          "10,000 pods: %.0f frames a second while %d updates were drawn, %.1f ms of processor time"
              + " each%n",
          moved.path("rate").asDouble(), moved.path("updates").asInt(), 1_000 * perFrame);
      // Processor time, since others may want this machine too.
      assertThat(1 / perFrame).isGreaterThanOrEqualTo(30);
      assertThat(moved.path("updates").asInt()).isPositive();
      assertThat(page.eval("document.querySelectorAll('#table .row').length").asInt())
          .isBetween(5, 60);
    }
  }

  private static String range(BrowserPage page) throws Exception {
    return text(page, ".overview .title .note");
  }

  private static void enter(BrowserPage page, String token) throws Exception {
    await(() -> assertThat(isAsking(page)).isTrue());
    page.click("#token");
    page.write(token);
    page.click("dialog button[type=submit]");
  }

  private static boolean isAsking(BrowserPage page) throws Exception {
    return page.eval("document.querySelector('dialog[open] #token')?.value === ''").asBoolean();
  }

  private static void drain(BrowserPage page) throws Exception {
    page.click(DRAIN);
    await(() -> assertThat(text(page, "dialog")).contains("takes no new connections"));
    page.click("dialog button[type=submit]");
  }

  private static String text(BrowserPage page, String selector) throws Exception {
    return page.eval("document.querySelector(`" + selector + "`)?.innerText ?? ''").asText();
  }

  private static void await(ThrowingRunnable assertion) {
    Awaitility.await()
        .pollInterval(Duration.ofMillis(50))
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(assertion);
  }

  private static LedgerNode ledger(Path folder) throws Exception {
    Path tokens =
        Files.writeString(folder.resolve("tokens"), READER + " read\n" + OPERATOR + " operate\n");
    String others =
        IntStream.range(1, POOLS - 1)
            .mapToObj(
                i ->
                    "  pool-%d: { per-pod-max-connections: 5, pods: [{ name: pod, address: '10.1.%d.%d:80' }] }%n"
                        .formatted(i, i / 250, i % 250 + 1))
            .collect(Collectors.joining());
    String many =
        IntStream.range(0, MANY)
            .mapToObj(
                i ->
                    "{ name: many-%d, address: '10.0.%d.%d:80' }"
                        .formatted(i, i / 250, i % 250 + 1))
            .collect(Collectors.joining(", "));
    LedgerConfig config =
        ConfigLoader.parse(
            """
            data-dir: '%s'
            kafka: { port: 0 }
            als: { port: 0 }
            authz: { port: 0 }
            http: { port: 0, auth: { tokens-file: '%s' } }
            xds: { port: 0 }
            pools:
              chat: { per-pod-max-connections: 8, pods: [{ name: pod-1, address: "10.2.0.1:80" }] }
              many: { per-pod-max-connections: 20, pods: [%s] }
            %s"""
                .formatted(folder.resolve("data"), tokens, many, others),
            "ledger.yaml",
            Map.of());
    return LedgerNode.start(config, Role.resolve(Optional.empty(), config.kafka()));
  }
}
