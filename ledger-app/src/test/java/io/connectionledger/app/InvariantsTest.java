package io.connectionledger.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The promises of docs/invariants.md: each is numbered in order and names tests that exist. */
class InvariantsTest {

  private static final Path ROOT = Path.of("..");
  private static final Pattern PROMISE = Pattern.compile("(?m)^\\*\\*I(\\d+)\\. ");
  private static final Pattern PROOF =
      Pattern.compile("`([A-Z]\\w*(?:Test|IT|E2E))\\.(should\\w+)`");

  @Test
  void shouldNumberThePromisesWithoutGaps() throws IOException {
    List<Integer> numbers =
        PROMISE
            .matcher(document())
            .results()
            .map(promise -> Integer.parseInt(promise.group(1)))
            .toList();

    assertThat(numbers)
        .isNotEmpty()
        .containsExactlyElementsOf(IntStream.rangeClosed(1, numbers.size()).boxed().toList());
  }

  @Test
  void shouldNameATestForEveryPromise() throws IOException {
    List<String> promises = PROMISE.splitAsStream(document()).skip(1).toList();

    assertThat(promises)
        .isNotEmpty()
        .allSatisfy(promise -> assertThat(promise).containsPattern(PROOF));
  }

  @Test
  void shouldNameOnlyTestsThatExist() throws IOException {
    List<MatchResult> proofs = PROOF.matcher(document()).results().toList();
    List<Path> sources = JavaSources.tests();

    assertThat(proofs).isNotEmpty();
    for (MatchResult proof : proofs) {
      List<Path> files =
          sources.stream().filter(file -> file.endsWith(proof.group(1) + ".java")).toList();
      assertThat(files).as("the source of %s", proof.group()).hasSize(1);
      assertThat(Files.readString(files.getFirst()))
          .as(proof.group())
          .contains("void " + proof.group(2) + "(");
    }
  }

  private static String document() throws IOException {
    return Files.readString(ROOT.resolve("docs/invariants.md"));
  }
}
