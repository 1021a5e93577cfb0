package io.connectionledger.app.config;

import io.connectionledger.admission.http.auth.AccessSettings;
import io.connectionledger.admission.http.port.HttpAddress;
import io.connectionledger.admission.http.port.HttpSettings;
import io.connectionledger.model.PodNetworks;
import io.connectionledger.model.PodNetworks.Network;
import java.net.URI;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads what stands under {@code http}. */
final class HttpReader {

  private static final String ADMIN = "http.admin";
  private static final String PROBES = "http.probes";
  private static final String ISSUER = "http.auth.jwt.issuer";
  private static final String AUDIENCE = "http.auth.jwt.audience";
  private static final String ROLES_CLAIM = "http.auth.jwt.roles-claim";
  private static final Pattern LINE = Pattern.compile("[^\\p{Cntrl}]{1,500}");

  private final Settings settings;

  /** Who may read the metrics. */
  private enum Metrics {
    OPEN,
    READ
  }

  HttpReader(Settings settings) {
    this.settings = settings;
  }

  LedgerConfig.Http http() {
    return new LedgerConfig.Http(
        new HttpSettings(
            address("http", 8090),
            optional(ADMIN, 8091),
            optional(PROBES, 8092),
            null,
            hosts(),
            settings.get("http.writable-pods").map(Setting::bool).orElse(false),
            new PodNetworks(list(Keys.PODS_ALLOWED).stream().map(HttpReader::network).toList())),
        new AccessSettings(
            settings
                .get("http.auth.tokens-file")
                .map(value -> Path.of(value.matching(ConfigLoader.PATH, "the path of a file")))
                .orElse(null),
            jwt(),
            settings
                    .get("http.auth.metrics")
                    .map(value -> value.oneOf(Metrics.class))
                    .orElse(Metrics.OPEN)
                == Metrics.OPEN));
  }

  private @Nullable HttpAddress optional(String section, int otherwise) {
    return settings.listens(section) ? address(section, otherwise) : null;
  }

  private HttpAddress address(String section, int otherwise) {
    return new HttpAddress(
        settings.host(section + ".bind"), settings.port(section + ".port", otherwise));
  }

  private Set<String> hosts() {
    Set<String> hosts = new HashSet<>();
    for (Setting host : list(Keys.HOSTS)) {
      hosts.add(host.matching(Settings.HOST, Settings.HOST_ALLOWED));
    }
    return hosts;
  }

  private List<Setting> list(String key) {
    return settings.get(key).map(Setting::list).orElse(List.of());
  }

  private static Network network(Setting value) {
    try {
      return Network.parse(value.text());
    } catch (IllegalArgumentException malformed) {
      ConfigException refusal = value.refuse(PodNetworks.ALLOWED);
      refusal.initCause(malformed);
      throw refusal;
    }
  }

  /** All of it or nothing: a token that is not for us must not count. */
  private AccessSettings.@Nullable Jwt jwt() {
    Optional<Setting> issuer = settings.get(ISSUER);
    Optional<Setting> audience = settings.get(AUDIENCE);
    Optional<Setting> claim = settings.get(ROLES_CLAIM);
    if (issuer.isEmpty()) {
      audience
          .or(() -> claim)
          .ifPresent(
              alone -> {
                throw alone.refuse("left out without " + ISSUER);
              });
      return null;
    }
    if (audience.isEmpty()) {
      throw issuer.get().refuse("left out without " + AUDIENCE);
    }
    try {
      return new AccessSettings.Jwt(
          URI.create(issuer.get().text()),
          audience.get().matching(LINE, "one line"),
          claim.map(name -> name.matching(LINE, "one line")).orElse(AccessSettings.ROLES_CLAIM));
    } catch (IllegalArgumentException wrong) {
      ConfigException refusal = issuer.get().refuse(AccessSettings.Jwt.ISSUER_ALLOWED);
      refusal.initCause(wrong);
      throw refusal;
    }
  }
}
