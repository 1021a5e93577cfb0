package io.connectionledger.admission.http.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TokenFileTest {

  private static final String FIRST = "first-token-0123456789";
  private static final String SECOND = "second-token-0123456789";

  @TempDir Path directory;

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

  @Test
  void shouldTakeWhatTheFileHasNowAndKeepItWhenItIsSpoilt() throws Exception {
    Path file = Files.writeString(directory.resolve("tokens"), "# people\n\n" + FIRST + " read\n");
    try (TokenFile tokens = TokenFile.follow(file, registry)) {
      assertThat(tokens.find(FIRST)).map(Caller::role).contains(HttpRole.READ);
      assertThat(tokens.find(FIRST + "0")).isEmpty();
      assertThat(tokens.find(FIRST))
          .hasValueSatisfying(
              caller ->
                  assertThat(caller.name()).matches("token:[0-9a-f]{12}").doesNotContain("first"));

      Files.writeString(file, SECOND + "  admin\n");
      await().until(() -> tokens.find(SECOND).isPresent());
      assertThat(tokens.find(FIRST)).isEmpty();

      Files.writeString(file, SECOND + " boss\n");
      await().until(() -> registry.get("ledger.token.file.refused").counter().count() == 1);
      assertThat(tokens.find(SECOND)).map(Caller::role).contains(HttpRole.ADMIN);
      Files.delete(file);
      await().until(() -> registry.get("ledger.token.file.refused").counter().count() == 2);
      assertThat(tokens.find(SECOND)).isPresent();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "short read",
        "first-token-0123456789",
        "first-token-0123456789 root",
        "first-token-0123456789 read admin",
      })
  void shouldRefuseALineWithoutRepeatingTheToken(String line) throws Exception {
    Path file = Files.writeString(directory.resolve("tokens"), "\n" + line + "\n");

    assertThatThrownBy(() -> TokenFile.follow(file, registry))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessage(
            "http.auth.tokens-file "
                + file
                + " line 2: allowed is TOKEN ROLE, the token of 16 characters or more, the role one"
                + " of read, operate, admin");
  }

  @Test
  void shouldRefuseATokenThatIsThereTwiceAndAFileThatIsNot() throws Exception {
    Path file =
        Files.writeString(directory.resolve("tokens"), FIRST + " read\n" + FIRST + " admin\n");

    assertThatThrownBy(() -> TokenFile.follow(file, registry))
        .hasMessageContaining("line 2 has a token that stands there before");
    assertThatThrownBy(() -> TokenFile.follow(directory.resolve("none"), registry))
        .hasMessageEndingWith("none does not exist");
  }
}
