package io.connectionledger.app.kafka;

import static org.apache.kafka.common.acl.AclOperation.DESCRIBE;
import static org.apache.kafka.common.acl.AclOperation.READ;
import static org.apache.kafka.common.acl.AclOperation.WRITE;

import io.connectionledger.app.config.Role;
import io.connectionledger.model.Topics;
import io.connectionledger.streams.topology.LedgerStreams;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.acl.AclOperation;
import org.jspecify.annotations.Nullable;

/**
 * What the roles do with topics and the consumer group, and what of it Kafka does not allow. A
 * table in docs/kafka.md says the same. Not thread-safe.
 */
final class Rights {

  private static final Set<AclOperation> BOTH = Set.of(READ, WRITE);

  /** What every role does that reads and writes policies. */
  private static final Map<String, Set<AclOperation>> POLICIES =
      Map.of(Topics.POLICIES, BOTH, Topics.ENDPOINTS, Set.of(READ));

  private static final Map<Role, List<Map<String, Set<AclOperation>>>> TOPICS =
      new EnumMap<>(
          Map.of(
              Role.INGEST,
              List.of(
                  POLICIES,
                  Map.of(
                      Topics.CONNECTIONS,
                      Set.of(WRITE),
                      Topics.ENVOYS,
                      Set.of(WRITE),
                      Topics.DEAD_LETTERS,
                      Set.of(WRITE))),
              Role.ADMISSION,
              List.of(
                  POLICIES,
                  Map.of(
                      Topics.CONNECTIONS,
                      BOTH,
                      Topics.DECISIONS,
                      BOTH,
                      Topics.ENVOYS,
                      Set.of(READ),
                      Topics.OWNERS,
                      BOTH,
                      Topics.PODS,
                      Set.of(WRITE),
                      Topics.AUDIT,
                      Set.of(WRITE),
                      Topics.DEAD_LETTERS,
                      Set.of(WRITE))),
              Role.CONTROL_PLANE,
              List.of(Map.of(Topics.POLICIES, BOTH, Topics.ENDPOINTS, BOTH))));

  private final Set<Role> roles;
  private final List<String> missing = new ArrayList<>();

  Rights(Set<Role> roles) {
    this.roles = roles;
  }

  /** Whether one of the roles runs the topology, with its changelogs and its group. */
  boolean ofTheTopology() {
    return roles.contains(Role.ADMISSION);
  }

  /**
   * Compares what is needed of a topic with what is allowed.
   *
   * @param allowed null where the broker does not say
   */
  void topic(String name, @Nullable Set<AclOperation> allowed) {
    compare(needed(name), "topic " + name, allowed);
  }

  /** A topic of which not even a description is allowed, which all other rights include. */
  void hidden(String name) {
    Set<AclOperation> needed = needed(name);
    topic(name, Set.of());
    if (needed.isEmpty()) {
      denied(DESCRIBE, "topic " + name);
    }
  }

  private Set<AclOperation> needed(String topic) {
    if (LedgerStreams.CHANGELOGS.contains(topic)) {
      return BOTH;
    }
    Set<AclOperation> needed = new TreeSet<>();
    for (Role role : roles) {
      TOPICS
          .getOrDefault(role, List.of())
          .forEach(some -> needed.addAll(some.getOrDefault(topic, Set.of())));
    }
    return needed;
  }

  /** As {@link #topic}, for the consumer group of the topology. */
  void group(@Nullable Set<AclOperation> allowed) {
    compare(Set.of(READ), "group " + LedgerStreams.APPLICATION_ID, allowed);
  }

  private void compare(Set<AclOperation> needed, String what, @Nullable Set<AclOperation> allowed) {
    if (allowed != null) {
      needed.stream()
          .filter(operation -> !allowed.contains(operation))
          .sorted()
          .forEach(operation -> denied(operation, what));
    }
  }

  /** Takes what was refused when it was tried. */
  void denied(AclOperation operation, String what) {
    String name = operation.name();
    missing.add(name.charAt(0) + name.substring(1).toLowerCase(Locale.ROOT) + " on " + what);
  }

  /** What is missing, for example {@code Write on topic ledger.pods}; empty when nothing is. */
  List<String> missing() {
    return List.copyOf(missing);
  }
}
