package io.connectionledger.app.demo;

import io.connectionledger.app.browser.BrowserPage;
import io.connectionledger.app.browser.BrowserPage.View;
import io.connectionledger.app.browser.Chromium;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Writes pictures of the page into a folder, those that the documentation shows. */
final class Recorder {

  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration SETTLE = Duration.ofSeconds(2);

  private static final View WINDOW = new View(1280, 920, false);
  private static final View NIGHT = new View(1280, 920, true);
  private static final View PHONE = new View(390, 844, false);

  private static final String DRAIN = "#table .row .act button";

  private final Path folder;
  private final URI page;
  private final String pool;

  Recorder(Path folder, URI page, String pool) {
    this.folder = folder;
    this.page = page;
    this.pool = pool;
  }

  /** Takes them from a ledger at work. */
  void record(Path chromium) throws IOException, InterruptedException {
    Files.createDirectories(folder);
    URI ofPool = page.resolve("/#/pools/" + pool);
    try (Chromium browser = Chromium.start(chromium)) {
      try (BrowserPage all = browser.open(page, new View(1280, 420, false))) {
        await(all, "document.querySelector('[data-pool] [data-figure=active]').textContent > 0");
        save(all, "overview.png");
      }
      try (BrowserPage one = browser.open(ofPool, WINDOW)) {
        look(one);
        explain(one);
        tryPolicy(one);
        missParts(one);
        drain(one);
      }
    }
  }

  private void look(BrowserPage one) throws IOException, InterruptedException {
    await(one, "document.querySelectorAll('.decisions li').length > 5");
    await(one, "document.querySelectorAll('#envoys tbody tr').length > 0");
    save(one, "pool.png");
    one.look(NIGHT);
    save(one, "pool-dark.png");
    one.look(PHONE);
    save(one, "phone.png");
    one.look(WINDOW);
    scrollTo(one, "#history");
    save(one, "history.png");
  }

  private void explain(BrowserPage one) throws IOException, InterruptedException {
    one.eval("document.querySelector('.decisions [data-outcome=rejected] button').click()");
    await(one, "document.querySelector('dialog .verdict') !== null");
    save(one, "why.png");
    one.eval("document.querySelector('dialog').close()");
  }

  private void drain(BrowserPage one) throws IOException, InterruptedException {
    one.click(DRAIN);
    one.eval("document.getElementById('within').value = '30s'");
    one.click("#pace-within");
    one.click("dialog button[type=submit]");
    await(one, "document.querySelector('#table .row[data-state=draining]') !== null");
    one.eval("scrollTo(0, 0)");
    save(one, "drain.png");
    one.click(DRAIN);
    await(one, "document.querySelector('#table .row[data-state=draining]') === null");
  }

  private void tryPolicy(BrowserPage one) throws IOException, InterruptedException {
    one.eval(
        """
        const input = document.getElementById('perPodMaxConnections');
        input.value = Number(input.value) + 2;
        input.dispatchEvent(new Event('input'));
        document.querySelector('#policy form').requestSubmit();""");
    await(one, "document.querySelector('.preview table') !== null");
    scrollTo(one, "#policy");
    save(one, "policy.png");
  }

  private void missParts(BrowserPage one) throws IOException, InterruptedException {
    one.block(List.of("*/history*", "*/decisions*"));
    await(one, "document.querySelector('.incomplete').textContent.includes('last hour')");
    one.eval("scrollTo(0, 0)");
    save(one, "incomplete.png");
    one.block(List.of());
    await(one, "document.querySelector('.incomplete').hidden");
  }

  private static void scrollTo(BrowserPage page, String part)
      throws IOException, InterruptedException {
    page.eval("document.querySelector('" + part + "').scrollIntoView({ block: 'center' })");
  }

  private static void await(BrowserPage page, String condition)
      throws IOException, InterruptedException {
    page.eval(
        """
        new Promise((done, late) => {
          const end = Date.now() + %d;
          (function look() {
            let is = false;
            try { is = %s; } catch (notYet) { is = false; }
            if (is) { done(true); } else if (Date.now() > end) { late(new Error('not within time')); } else { setTimeout(look, 100); }
          })();
        })"""
            .formatted(PATIENCE.toMillis(), condition));
  }

  private void save(BrowserPage page, String name) throws IOException, InterruptedException {
    CompletableFuture.runAsync(
            () -> {}, CompletableFuture.delayedExecutor(SETTLE.toMillis(), TimeUnit.MILLISECONDS))
        .join();
    Files.write(folder.resolve(name), page.picture());
  }
}
