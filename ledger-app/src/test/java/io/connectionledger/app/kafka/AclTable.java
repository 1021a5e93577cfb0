package io.connectionledger.app.kafka;

import io.connectionledger.app.e2e.Fleet;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/** The rights that docs/kafka.md lists. */
final class AclTable {

  private static final Pattern ROW =
      Pattern.compile("\\| (topics?|group) `([^`*]+)(\\*?)` \\|(.*)\\|(.*)\\|(.*)\\|(.*)\\|");
  private static final List<String> COLUMNS =
      List.of("ingest", "admission", "control-plane", "command line");

  private AclTable() {}

  /**
   * One right.
   *
   * @param role the table's column
   * @param inKubernetes whether only a ledger in Kubernetes uses it
   */
  record Right(
      String role, ResourcePattern resource, AclOperation operation, boolean inKubernetes) {

    AclBinding of(String user) {
      return new AclBinding(
          resource,
          new AccessControlEntry("User:" + user, "*", operation, AclPermissionType.ALLOW));
    }

    /** As the ledger names it where it has to name one. */
    String text() {
      String name = operation.name().toLowerCase(Locale.ROOT);
      return name.substring(0, 1).toUpperCase(Locale.ROOT)
          + name.substring(1)
          + " on "
          + resource.resourceType().name().toLowerCase(Locale.ROOT)
          + " "
          + resource.name();
    }
  }

  /** All of both tables. */
  static List<Right> read() throws IOException {
    List<Right> rights = new ArrayList<>();
    for (String line : Files.readAllLines(Fleet.ROOT.resolve("docs/kafka.md"))) {
      Matcher row = ROW.matcher(line);
      if (row.matches()) {
        ResourcePattern resource =
            new ResourcePattern(
                row.group(1).equals("group") ? ResourceType.GROUP : ResourceType.TOPIC,
                row.group(2),
                row.group(3).isEmpty() ? PatternType.LITERAL : PatternType.PREFIXED);
        for (int column = 0; column < COLUMNS.size(); column++) {
          String cell = row.group(column + 4).strip();
          for (String entry : cell.isEmpty() ? List.<String>of() : List.of(cell.split(", "))) {
            String name = entry.replace(" (Kubernetes)", "");
            rights.add(
                new Right(
                    COLUMNS.get(column),
                    resource,
                    AclOperation.fromString(
                        name.replaceAll("(?<=[a-z])(?=[A-Z])", "_").toUpperCase(Locale.ROOT)),
                    !name.equals(entry)));
          }
        }
      }
    }
    return rights;
  }
}
