package io.connectionledger.kubernetes.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What k8s/scan says to whoever cannot use it as called. */
final class ScanArgumentsTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          --sbom pom.xml                           | --database is missing: allowed is
          --database                               | --database has no value
          --database nowhere                       | --database is nowhere: allowed is a folder
          --database . --sbom nothing.json         | there is no nothing.json: run mvn package
          --db .                                   | unknown argument --db: allowed are
          """)
  void shouldRefuseInALine(String arguments, String message) throws Exception {
    List<String> line = new ArrayList<>(List.of("/bin/bash", "scan"));
    line.addAll(List.of(arguments.split(" ")));

    Command refused = Command.run(Map.of(), line);

    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.output()).startsWith("scan: " + message).hasLineCount(1);
  }
}
