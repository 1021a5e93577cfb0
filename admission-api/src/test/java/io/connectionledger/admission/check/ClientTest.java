package io.connectionledger.admission.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.policy.Affinity;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClientTest {

  private record Told(Map<String, String> headers) implements Client {

    @Override
    public @Nullable String header(String name) {
      return headers.get(name);
    }

    @Override
    public @Nullable String listener() {
      return null;
    }

    @Override
    public @Nullable String sourceAddress() {
      return "192.0.2.7";
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "null",
      value = {
        "user=anna | anna",
        "a=b; user=anna; c=d | anna",
        "a=b;user=anna | anna",
        "user=a=b== | a=b==",
        "user= | null",
        "user | null",
        "xuser=eve; user=anna | anna",
        "usera=eve | null",
        "a=user=eve | null",
        "; ;; user=anna | anna",
        "user=anna; user=eve | anna"
      })
  void shouldFindACookieAmongOthers(String cookies, @Nullable String expected) {
    assertThat(new Told(Map.of("cookie", cookies)).key(Affinity.cookie("user")))
        .isEqualTo(expected);
  }

  @Test
  void shouldBeKnownByWhatTheAffinityNamesAndNothingElse() {
    Told client = new Told(Map.of("x-user", "anna", "x-empty", " "));

    assertThat(client.key(Affinity.header("X-User"))).isEqualTo("anna");
    assertThat(client.key(Affinity.header("x-empty"))).isNull();
    assertThat(client.key(Affinity.header("x-other"))).isNull();
    assertThat(client.key(Affinity.cookie("user"))).isNull();
    assertThat(client.key(Affinity.bySourceAddress())).isEqualTo("192.0.2.7");
    assertThat(client.key(Affinity.NONE)).isNull();
  }
}
