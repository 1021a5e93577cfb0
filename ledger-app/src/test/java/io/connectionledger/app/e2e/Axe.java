package io.connectionledger.app.e2e;

import io.connectionledger.app.browser.BrowserPage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** What axe-core thinks of a page. */
final class Axe {

  private static final String SCRIPT = "/META-INF/resources/webjars/axe-core/4.6.3/axe.min.js";

  private Axe() {}

  /** Must be called once for a page; Chromium says something on the console about axe's canvas. */
  static void load(BrowserPage page) throws IOException, InterruptedException {
    try (InputStream in = Axe.class.getResourceAsStream(SCRIPT)) {
      page.eval(new String(in.readAllBytes(), StandardCharsets.UTF_8) + ";0");
    }
  }

  /**
   * What it calls serious or worse, a line each.
   *
   * @param part a selector of what it looks at
   */
  static List<String> faults(BrowserPage page, String part)
      throws IOException, InterruptedException {
    List<String> faults = new ArrayList<>();
    page.eval(
            "axe.run('%s', { resultTypes: ['violations'] }).then((found) => found.violations)"
                .formatted(part))
        .forEach(
            fault -> {
              if (List.of("serious", "critical").contains(fault.path("impact").asText())) {
                faults.add(
                    fault.path("id").asText()
                        + ": "
                        + fault.path("nodes").path(0).path("html").asText());
              }
            });
    return faults;
  }
}
