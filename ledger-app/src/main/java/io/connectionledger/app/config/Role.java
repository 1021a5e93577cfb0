package io.connectionledger.app.config;

import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** A part of the ledger that an instance can run. */
public enum Role {
  /** The embedded Kafka broker. */
  KAFKA,
  /** Envoy's access-log service. */
  INGEST,
  /** The ledger itself, ext_authz and the query API. */
  ADMISSION,
  /** Endpoint discovery for Envoy. */
  CONTROL_PLANE;

  /** The name on the command line. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * The roles of an instance: those named, or all that the configuration leaves to it.
   *
   * @param option comma-separated labels as given to {@code --roles}
   * @throws ConfigException when a label is unknown, or the broker and kafka.bootstrap-servers
   *     contradict each other
   */
  public static Set<Role> resolve(Optional<String> option, LedgerConfig.Kafka kafka) {
    Set<Role> roles = option.map(Role::parse).orElseGet(() -> all(kafka));
    if (roles.contains(KAFKA) && !kafka.embedded()) {
      throw new ConfigException(
          "--roles names kafka, but kafka.bootstrap-servers is '"
              + kafka.bootstrapServers()
              + "': allowed is one of the two");
    }
    if (!roles.contains(KAFKA) && kafka.embedded()) {
      throw new ConfigException(
          "kafka.bootstrap-servers is '': without the role kafka allowed is host:port, several "
              + "separated by commas");
    }
    return Collections.unmodifiableSet(roles);
  }

  private static EnumSet<Role> all(LedgerConfig.Kafka kafka) {
    EnumSet<Role> roles = EnumSet.allOf(Role.class);
    if (!kafka.embedded()) {
      roles.remove(KAFKA);
    }
    return roles;
  }

  private static EnumSet<Role> parse(String option) {
    EnumSet<Role> roles = EnumSet.noneOf(Role.class);
    for (String label : option.split(",", -1)) {
      roles.add(
          Arrays.stream(values())
              .filter(role -> role.label().equals(label.strip()))
              .findFirst()
              .orElseThrow(
                  () ->
                      new ConfigException(
                          "--roles is '"
                              + option
                              + "': allowed is any of "
                              + Arrays.stream(values())
                                  .map(Role::label)
                                  .collect(Collectors.joining(", "))
                              + ", separated by commas")));
    }
    return roles;
  }
}
