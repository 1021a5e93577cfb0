package io.connectionledger.app.serve;

import io.connectionledger.admission.http.auth.BrowserRules;
import io.connectionledger.admission.http.port.HttpAddress;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.LedgerConfig.Listener;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.config.StartupException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps ports that others reach from being open to everybody without somebody having wanted that.
 */
final class OpenPorts {

  private static final Logger LOGGER = LoggerFactory.getLogger(OpenPorts.class);

  private OpenPorts() {}

  /** One port that an instance is to listen on. */
  private record Port(String section, String bind) {}

  /**
   * Refuses ports beyond loopback that are plain text, and an HTTP API there that asks nobody who
   * they are; where {@code insecure} is set, says it instead.
   *
   * @param hasTls whether the port of a section, such as {@code als} or {@code http}, has TLS
   * @throws StartupException with one line that names them
   */
  static void check(LedgerConfig config, Set<Role> roles, Predicate<String> hasTls) {
    List<String> open = new ArrayList<>();
    for (Port port : ports(config, roles)) {
      if (BrowserRules.isLoopback(port.bind)) {
        continue;
      }
      boolean anybody =
          (port.section.equals("http") || port.section.equals("http.admin"))
              && !config.http().access().isRequired();
      if (!hasTls.test(port.section.equals("http.admin") ? "http" : port.section)) {
        open.add(port.section + " without TLS");
      }
      if (anybody) {
        open.add(port.section + " without auth");
      }
    }
    if (open.isEmpty()) {
      return;
    }
    String what = String.join(", ", open);
    if (!config.insecure()) {
      throw new StartupException(
          "ports beyond loopback are open to everybody who reaches them ("
              + what
              + "): allowed is a bind of 127.0.0.1, tls and http.auth, or insecure: true");
    }
    LOGGER
        .atWarn()
        .addKeyValue("ports", what)
        .log("INSECURE: everybody who reaches these ports may use them, as insecure: true wants");
  }

  /**
   * Whether the port of ext_authz answers KEDA and reflection too: only without a port for them,
   * and on this machine in plain text. Elsewhere it is for Envoys alone.
   */
  static boolean authzTakesKeda(LedgerConfig config, Predicate<String> hasTls) {
    return config.keda() == null
        && BrowserRules.isLoopback(config.authz().listener().bind())
        && !hasTls.test("authz");
  }

  private static List<Port> ports(LedgerConfig config, Set<Role> roles) {
    List<Port> ports = new ArrayList<>();
    if (roles.contains(Role.KAFKA)) {
      ports.add(port("kafka", config.kafka().listener()));
    }
    if (roles.contains(Role.INGEST)) {
      ports.add(port("als", config.als()));
    }
    if (roles.contains(Role.CONTROL_PLANE)) {
      ports.add(port("xds", config.xds()));
    }
    if (roles.contains(Role.ADMISSION)) {
      ports.add(port("authz", config.authz().listener()));
      ports.add(port("peers", config.peers()));
      Listener keda = config.keda();
      if (keda != null) {
        ports.add(port("keda", keda));
      }
      ports.add(new Port("http", config.http().settings().main().bind()));
      HttpAddress admin = config.http().settings().admin();
      if (admin != null) {
        ports.add(new Port("http.admin", admin.bind()));
      }
    }
    return ports;
  }

  private static Port port(String section, Listener listener) {
    return new Port(section, listener.bind());
  }
}
