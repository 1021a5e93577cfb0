package io.connectionledger.admission.http.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class BrowserRulesTest {

  @ParameterizedTest
  @ValueSource(
      strings = {"localhost", "LOCALHOST", "a.localhost", "127.0.0.1", "127.9.8.7", "[::1]"})
  void shouldKnowLoopbackByItsNames(String host) {
    assertThat(new BrowserRules("127.0.0.1", Set.of()).isKnown(host)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "10.0.0.1",
        ""
      })
  void shouldNotKnowAnotherNameOnLoopback(String host) {
    assertThat(new BrowserRules("127.0.0.1", Set.of()).isKnown(host)).isFalse();
    assertThat(new BrowserRules("::1", Set.of()).isKnown(host)).isFalse();
    assertThat(new BrowserRules("localhost", Set.of()).isKnown(host)).isFalse();
  }

  @Test
  void shouldKnowWhatIsConfigured() {
    BrowserRules named = new BrowserRules("0.0.0.0", Set.of("Ledger.example"));

    assertThat(named.isKnown("ledger.example")).isTrue();
    assertThat(named.isKnown("other.example")).isFalse();
    assertThat(new BrowserRules("0.0.0.0", Set.of()).isKnown("other.example")).isTrue();
    assertThat(new BrowserRules("127.0.0.1", Set.of("ledger.example")).isKnown("ledger.example"))
        .isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        "-, -, false",
        "-, none, false",
        "http://here:8090, same-origin, false",
        "http://HERE:8090, -, false",
        "http://here, -, true",
        "http://evil.example, -, true",
        "null, -, true",
        "http://here:8090, cross-site, true",
        "-, same-site, true",
        "'http://[', -, true",
      })
  void shouldTellAPageOfAnotherSite(String origin, String fetchSite, boolean crossSite) {
    assertThat(BrowserRules.isCrossSite(origin, fetchSite, "here:8090")).isEqualTo(crossSite);
  }
}
