package io.connectionledger.app.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.app.browser.BrowserPage;
import io.connectionledger.app.browser.BrowserPage.View;
import io.connectionledger.app.browser.Chromium;
import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.serve.LedgerNode;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page in a real Chromium, of a ledger that asks who looks. */
@Tag("chromium")
class PageTokenE2E {

  private static final String OPERATOR = "operator-token-of-this-test";
  private static final String READER = "reader-token-of-this-test";
  private static final int ESCAPE = 27;
  private static final String DRAIN = "#table .row .act button";

  @TempDir private Path folder;

  @Test
  void shouldAskForATokenAndSayWhatItsRoleMayNotAndWhatTheAuditHas() throws Exception {
    try (LedgerNode ledger = ledger();
        Chromium browser = Chromium.start(Chromium.find().orElseThrow())) {
      await(() -> assertThat(ledger.unready()).isEmpty());
      URI pool =
          URI.create("http://127.0.0.1:" + ledger.httpPort().orElseThrow() + "/#/pools/chat");

      try (BrowserPage page = browser.open(pool, new View(1280, 900, false))) {
        await(() -> assertThat(isAsking(page)).isTrue());
        page.press("Escape", ESCAPE);
        enter(page, "no-token-that-it-knows");
        await(() -> assertThat(text(page, "dialog")).contains("does not take this token"));
        enter(page, READER);
        await(() -> assertThat(text(page, "#table")).contains("pod-1"));

        drain(page);
        await(() -> assertThat(text(page, "dialog")).contains("Your token may not do this"));
      }
      try (BrowserPage page = browser.open(pool, new View(1280, 900, false))) {
        enter(page, OPERATOR);
        await(() -> assertThat(text(page, "#table")).contains("pod-1"));

        drain(page);
        await(() -> assertThat(text(page, "#told")).contains("Audit: "));
        await(() -> assertThat(text(page, "#table")).contains("drained"));
      }
    }
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

  private LedgerNode ledger() throws Exception {
    Path tokens =
        Files.writeString(folder.resolve("tokens"), READER + " read\n" + OPERATOR + " operate\n");
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
              chat: { per-pod-max-connections: 5, pods: [{ name: pod-1, address: "10.0.0.1:80" }] }
            """
                .formatted(folder.resolve("data"), tokens),
            "ledger.yaml",
            Map.of());
    return LedgerNode.start(config, Role.resolve(Optional.empty(), config.kafka()));
  }
}
