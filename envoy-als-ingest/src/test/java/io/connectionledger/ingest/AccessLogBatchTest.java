package io.connectionledger.ingest;

import static io.connectionledger.ingest.Entries.admission;
import static io.connectionledger.ingest.Entries.ended;
import static io.connectionledger.ingest.Entries.leased;
import static io.connectionledger.ingest.Entries.opened;
import static io.connectionledger.ingest.Entries.periodic;
import static io.envoyproxy.envoy.data.accesslog.v3.AccessLogType.DownstreamPeriodic;
import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.ingest.translate.AccessLogTranslator;
import io.connectionledger.ingest.translate.DeadLetterCause;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.ConnectionEvent.Alive;
import io.connectionledger.model.policy.PoolIndex;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPAccessLogEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class AccessLogBatchTest {

  private static final PodAddress POD = PodAddress.parse("10.0.0.7:8080");
  private static final PodAddress OTHER_POD = PodAddress.parse("10.0.0.8:8080");

  private static AccessLogBatch batch(List<HTTPAccessLogEntry> entries) {
    return AccessLogBatch.of(new AccessLogTranslator("envoy-1", () -> PoolIndex.EMPTY), entries, 7);
  }

  private static HTTPAccessLogEntry beat(String pool, String id, PodAddress pod) {
    HTTPAccessLogEntry.Builder entry = leased(DownstreamPeriodic, id);
    entry
        .getCommonPropertiesBuilder()
        .setUpstreamRemoteAddress(Entries.address(pod.ip(), pod.port()));
    return admission(entry, Map.of("pool", pool, "reservation", id)).build();
  }

  private static List<String> kinds(AccessLogBatch batch) {
    return batch.events().stream()
        .map(
            event ->
                switch (event) {
                  case ConnectionEvent.Opened e -> "opened " + e.connection();
                  case Alive e -> "alive " + e.pods().values();
                  case ConnectionEvent.Closed e -> "closed " + e.connection();
                  case ConnectionEvent.Failed e -> "failed " + e.connection();
                })
        .toList();
  }

  @Test
  void shouldMakeOneAliveAPool() {
    AccessLogBatch batch =
        batch(
            List.of(
                beat("chat", "c1", POD),
                beat("games", "g1", POD),
                beat("chat", "c2", OTHER_POD),
                beat("chat", "c3", POD)));

    assertThat(batch.events())
        .containsExactly(
            new Alive(
                "chat", "envoy-1", Map.of(POD, List.of("c1", "c3"), OTHER_POD, List.of("c2")), 7),
            new Alive("games", "envoy-1", Map.of(POD, List.of("g1")), 7));
  }

  @Test
  void shouldPutHeartbeatsBeforeTheCloseThatFollowedThemAndKeepTheRestInOrder() {
    AccessLogBatch batch =
        batch(List.of(ended("b"), opened("c"), periodic("a"), ended("a"), opened("d")));

    assertThat(kinds(batch))
        .containsExactly("alive [[a]]", "closed b", "opened c", "closed a", "opened d");
  }

  @Test
  void shouldNotLetAHeartbeatOvertakeTheOpenThatPrecededIt() {
    AccessLogBatch batch = batch(List.of(periodic("a"), opened("b"), periodic("b"), ended("b")));

    assertThat(kinds(batch)).containsExactly("alive [[a]]", "opened b", "closed b");
  }

  @Test
  void shouldSplitAnAliveOfManyConnections() {
    List<HTTPAccessLogEntry> entries = new ArrayList<>();
    for (int i = 0; i < 2 * AccessLogBatch.MAX_ALIVE_CONNECTIONS + 1; i++) {
      entries.add(beat("chat", "c" + i, i % 2 == 0 ? POD : OTHER_POD));
    }

    AccessLogBatch batch = batch(entries);

    assertThat(batch.events())
        .extracting(event -> ((Alive) event).pods().values().stream().mapToInt(List::size).sum())
        .containsExactly(
            AccessLogBatch.MAX_ALIVE_CONNECTIONS, AccessLogBatch.MAX_ALIVE_CONNECTIONS, 1);
    assertThat(batch.events())
        .flatExtracting(
            event -> ((Alive) event).pods().values().stream().flatMap(List::stream).toList())
        .doesNotHaveDuplicates()
        .hasSize(entries.size());
  }

  @Test
  void shouldWriteAFullAliveOnce() {
    List<HTTPAccessLogEntry> entries = new ArrayList<>();
    for (int i = 0; i < AccessLogBatch.MAX_ALIVE_CONNECTIONS; i++) {
      entries.add(periodic("c" + i));
    }

    assertThat(batch(entries).events()).hasSize(1);
  }

  @Test
  void shouldCapThePoolsOfOneMessage() {
    List<HTTPAccessLogEntry> entries = new ArrayList<>();
    for (int i = 0; i < AccessLogBatch.MAX_POOLS + 3; i++) {
      entries.add(beat("pool-" + i, "c" + i, POD));
    }
    entries.add(beat("pool-0", "late", POD));

    AccessLogBatch batch = batch(entries);

    assertThat(batch.events()).hasSize(AccessLogBatch.MAX_POOLS);
    assertThat(batch.events().getFirst())
        .isEqualTo(new Alive("pool-0", "envoy-1", Map.of(POD, List.of("c0", "late")), 7));
    assertThat(batch.deadLetters())
        .hasSize(3)
        .allSatisfy(letter -> assertThat(letter.cause()).isEqualTo(DeadLetterCause.TOO_MANY_POOLS));
  }

  @Test
  void shouldKeepMalformedEntriesAsDeadLetters() {
    HTTPAccessLogEntry malformed = periodic("not an id");

    AccessLogBatch batch = batch(List.of(opened("a"), malformed, ended("a")));

    assertThat(kinds(batch)).containsExactly("opened a", "closed a");
    assertThat(batch.deadLetters())
        .singleElement()
        .satisfies(
            letter -> {
              assertThat(letter.cause()).isEqualTo(DeadLetterCause.MALFORMED);
              assertThat(letter.reason()).contains("not an id");
              assertThat(letter.entry()).isEqualTo(malformed);
            });
  }
}
