package io.connectionledger.app.serve;

import static org.assertj.core.api.Assertions.assertThat;

import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Ready means warm, as far as that can be told without a clock: of the libraries that a check goes
 * through, its process has loaded every class before it calls itself ready.
 */
final class FirstCheckIT {

  /** What checks share with Kafka Streams and other servers, Netty and Kafka's client, is out. */
  private static final Pattern ON_THE_CHECK_PATH =
      Pattern.compile(
          "\\] (io\\.(connectionledger|envoyproxy|perfmark|prometheus)\\."
              + "|io\\.micrometer\\.(?!core\\.instrument\\.binder)"
              + "|io\\.grpc\\.(?!netty\\.shaded\\.io\\.netty)|com\\.(google|fasterxml)\\.)");

  /**
   * What the stream thread loads when a decision comes back from Kafka, or who is heard; what the
   * borrower's thread loads when it first looks around, which may be after the first check; and the
   * type of a field of every JSON context that is always null, which compiled code looks up
   * whenever it is compiled.
   */
  private static final Pattern BESIDE_IT =
      Pattern.compile(
          "\\] (io\\.connectionledger\\.streams\\.(topology\\.LedgerProcessor"
              + "|store\\.(PartitionStores|History|StoreCodec)"
              + "|rules\\.(PoolLedger\\$\\$TypeSwitch|lease\\.EnvoyFailureDetector\\$Eviction)"
              + "|rules\\.state\\.Stored(CircuitBreaker|Connection\\$(Reserved|Open|Ended))"
              + "|ownership\\.PoolShard\\$\\$Lambda)"
              + "|io\\.connectionledger\\.model\\.event\\.RecordCodec\\$\\$TypeSwitch"
              + "|io\\.connectionledger\\.admission\\.loan\\.Borrower\\$\\$Lambda"
              + "|com\\.fasterxml\\.jackson\\.databind\\.util\\.TokenBuffer\\$1"
              + "|com\\.fasterxml\\.jackson\\.core\\.json\\.DupDetector)\\b");

  private static final String POOLS =
      """
      { chat: { per-pod-max-connections: 1, pods: [{ name: pod-1, address: '127.0.0.1:9001' }] },
        paced: { connections-per-second: 0.001, burst-capacity: 1, per-pod-max-connections: 9,
                 pods: [{ name: pod-1, address: '127.0.0.1:9001' }] } }\
      """;

  @TempDir private Path temp;

  @ParameterizedTest
  @ValueSource(strings = {"fast", "acknowledged"})
  void shouldHaveLoadedItsClassesBeforeTheFirstCheck(String durability) throws Exception {
    Path classes = temp.resolve("classes");
    List<String> logClasses = List.of("-Xlog:class+load=info:file=" + classes);
    try (FreshLedger ledger = FreshLedger.start(temp, logClasses, durability, POOLS)) {
      // Given
      long loadedWhenReady = lines(classes);
      // When
      List<CheckResponse> answers;
      try (Checks checks = Checks.connect(ledger.port("authz"))) {
        answers =
            Stream.of(
                    Checks.webSocket("chat"),
                    Checks.webSocket("chat"),
                    Checks.webSocket("paced"),
                    Checks.webSocket("paced"),
                    Checks.plain("chat"))
                .map(checks::send)
                .toList();
      }
      List<String> loadedByChecks;
      try (Stream<String> lines = Files.lines(classes)) {
        loadedByChecks = lines.skip(loadedWhenReady).toList();
      }
      // Then
      assertThat(answers)
          .extracting(answer -> answer.getDeniedResponse().getStatus().getCodeValue())
          .containsExactly(0, 503, 0, 429, 0);
      assertThat(ledger.log())
          .containsPattern("Check path warmed checks=\"[1-9]")
          .doesNotContain("not recorded");
      assertThat(loadedByChecks)
          .filteredOn(line -> ON_THE_CHECK_PATH.matcher(line).find())
          .filteredOn(line -> !BESIDE_IT.matcher(line).find())
          .isEmpty();
    }
  }

  private static long lines(Path file) throws Exception {
    try (Stream<String> lines = Files.lines(file)) {
      return lines.count();
    }
  }
}
