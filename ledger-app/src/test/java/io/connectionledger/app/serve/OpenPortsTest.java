package io.connectionledger.app.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.config.StartupException;
import io.connectionledger.app.tls.TestAuthority;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class OpenPortsTest {

  private static final Set<Role> ALL = EnumSet.allOf(Role.class);
  private static final String BEYOND =
      "als: { bind: 0.0.0.0 }\nhttp: { bind: ledger.example, admin: { bind: '::' } }\n";

  private static LedgerConfig config(String yaml) {
    return ConfigLoader.parse(yaml, "ledger.yaml", Map.of());
  }

  @Test
  void shouldTakeEverythingOnLoopback() {
    assertThatCode(() -> OpenPorts.check(config("http: { bind: '::1' }"), ALL, port -> false))
        .doesNotThrowAnyException();
  }

  @Test
  void shouldRefuseWithOneLineWhatIsOpenBeyond() {
    assertThatThrownBy(() -> OpenPorts.check(config(BEYOND), ALL, port -> false))
        .isInstanceOf(StartupException.class)
        .hasMessage(
            "ports beyond loopback are open to everybody who reaches them (als without TLS, http"
                + " without TLS, http without auth, http.admin without TLS, http.admin without"
                + " auth): allowed is a bind of 127.0.0.1, tls and http.auth, or insecure: true");
  }

  /** Without authorities nobody could tell an instance from anybody else. */
  @Test
  void shouldRefuseInstancesInPlainTextBesideTls(@TempDir Path folder) {
    Path own = new TestAuthority("ledger").issue(folder.resolve("own"), "ledger");
    LedgerConfig config =
        config(
            """
            data-dir: %s
            kafka: { bootstrap-servers: "127.0.0.1:1" }
            authz: { bind: 0.0.0.0, port: 0 }
            tls: { certificate: %s/tls.crt, key: %s/tls.key }
            """
                .formatted(folder, own, own));

    assertThatThrownBy(() -> LedgerNode.start(config, Set.of(Role.ADMISSION)))
        .isInstanceOf(StartupException.class)
        .hasMessageContaining("(peers without TLS)");
  }

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1, false, '', true",
    "0.0.0.0, false, '', false",
    "127.0.0.1, true, '', false",
    "127.0.0.1, false, 'keda: { port: 0 }', false"
  })
  void shouldLetKedaAskWhereEnvoysDoOnThisMachineInPlainTextAlone(
      String bind, boolean tls, String keda, boolean taken) {
    LedgerConfig config = config("authz: { bind: " + bind + " }\n" + keda);

    assertThat(OpenPorts.authzTakesKeda(config, port -> tls)).isEqualTo(taken);
  }

  @Test
  void shouldRefuseOnlyPortsOfTheRolesThatRun() {
    assertThatCode(() -> OpenPorts.check(config(BEYOND), Set.of(Role.CONTROL_PLANE), port -> false))
        .doesNotThrowAnyException();
  }

  @Test
  void shouldTakeWhatIsSaidToBeInsecure() {
    assertThatCode(() -> OpenPorts.check(config(BEYOND + "insecure: true"), ALL, port -> false))
        .doesNotThrowAnyException();
    LedgerConfig ofEnvironment =
        ConfigLoader.parse(BEYOND, "ledger.yaml", Map.of("LEDGER_INSECURE", "true"));
    assertThatCode(() -> OpenPorts.check(ofEnvironment, ALL, port -> false))
        .doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({"true, true", "true, false", "false, true", "false, false"})
  void shouldAskForTlsAndForTokens(boolean tls, boolean tokens) {
    LedgerConfig config =
        config("http: { bind: 0.0.0.0 " + (tokens ? ", auth: { tokens-file: tokens }" : "") + " }");
    if (tls && tokens) {
      assertThatCode(() -> OpenPorts.check(config, ALL, port -> true)).doesNotThrowAnyException();
    } else {
      assertThatThrownBy(() -> OpenPorts.check(config, ALL, port -> tls))
          .hasMessageContaining(tls ? "(http without auth)" : "http without TLS");
    }
  }
}
