package io.connectionledger.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The links of the documentation lead somewhere, and from README.md to all of it. */
class LinksTest {

  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
  private static final Pattern HEADING = Pattern.compile("(?m)^#+ +(.+)$");
  private static final Pattern CODE = Pattern.compile("(?ms)^```.*?^```|`[^`\n]*`");

  @Test
  void shouldLeadSomewhere() throws IOException {
    List<String> broken = new ArrayList<>();
    for (Path page : pages()) {
      for (String link : links(page)) {
        String[] parts = link.split("#", 2);
        Path to = target(page, parts[0]);
        boolean leads =
            Files.exists(to)
                && (parts.length == 1
                    || !to.toString().endsWith(".md")
                    || headings(to).contains(parts[1]));
        if (!leads) {
          broken.add(ROOT.relativize(page) + ": " + link);
        }
      }
    }

    assertThat(broken).isEmpty();
  }

  @Test
  void shouldReachEveryPageOfTheDocsWithinTwoLinks() throws IOException {
    Set<Path> reached = new HashSet<>(Set.of(ROOT.resolve("README.md")));
    for (int links = 0; links < 2; links++) {
      for (Path page : List.copyOf(reached)) {
        if (page.toString().endsWith(".md") && Files.exists(page)) {
          for (String link : links(page)) {
            reached.add(target(page, link.split("#", 2)[0]));
          }
        }
      }
    }
    // GitHub shows what is in a folder that is linked.
    List<Path> far =
        pages().stream()
            .filter(page -> page.startsWith(ROOT.resolve("docs")))
            .filter(page -> !reached.contains(page) && !reached.contains(page.getParent()))
            .toList();

    assertThat(far).isEmpty();
  }

  private static List<Path> pages() throws IOException {
    List<Path> pages = new ArrayList<>();
    try (Stream<Path> top = Files.list(ROOT)) {
      top.filter(file -> file.toString().endsWith(".md")).forEach(pages::add);
    }
    for (String folder : List.of("docs", "bench", "k8s")) {
      try (Stream<Path> files = Files.walk(ROOT.resolve(folder))) {
        files
            .filter(file -> file.toString().endsWith(".md"))
            .filter(file -> !file.toString().contains("/target/"))
            .forEach(pages::add);
      }
    }
    assertThat(pages).hasSizeGreaterThan(40);
    return pages;
  }

  /** Those within the repository. */
  private static List<String> links(Path page) throws IOException {
    return LINK.matcher(CODE.matcher(Files.readString(page)).replaceAll(""))
        .results()
        .map(link -> link.group(1))
        .filter(link -> !link.contains("://"))
        .toList();
  }

  private static Path target(Path from, String link) {
    return link.isEmpty()
        ? from
        : Objects.requireNonNull(from.getParent()).resolve(link).normalize();
  }

  private static Set<String> headings(Path page) throws IOException {
    return HEADING
        .matcher(Files.readString(page))
        .results()
        .map(
            heading ->
                heading
                    .group(1)
                    .toLowerCase(Locale.ROOT)
                    .replaceAll("[^a-z0-9 _-]", "")
                    .replace(' ', '-'))
        .collect(Collectors.toSet());
  }
}
