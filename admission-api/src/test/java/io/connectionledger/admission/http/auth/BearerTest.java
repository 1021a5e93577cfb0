package io.connectionledger.admission.http.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class BearerTest {

  @Test
  void shouldTakeATokenOfSoManyCharacters() throws AccessRefusedException {
    String longest = "x".repeat(Bearer.MAX_CHARS);

    assertThat(Bearer.token("Bearer " + longest)).isEqualTo(longest);
    assertThat(Bearer.token("bearer  token ")).isEqualTo("token");
    assertThatThrownBy(() -> Bearer.token("Bearer x" + longest))
        .isInstanceOf(AccessRefusedException.class)
        .hasMessage("the token is not one that is known here");
  }

  @ParameterizedTest
  @ValueSource(strings = {"Bearer ", "Basic dXNlcjpwYXNz", "token", ""})
  void shouldTakeNothingElseForAToken(String header) {
    assertThatThrownBy(() -> Bearer.token(header)).isInstanceOf(AccessRefusedException.class);
  }
}
