package io.connectionledger.app.tail;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.DecisionInputs;
import io.connectionledger.model.event.LedgerRecord;
import io.connectionledger.model.event.RecordCodec;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.PoolPolicy.Mode;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.TypeConversionException;

/** What is shown of the records that the ledger really writes. */
final class TailTest {

  private static final long AT_MS = 1_763_726_400_123L;
  private static final PodAddress POD = PodAddress.parse("10.0.0.1:80");

  private static final LedgerRecord OPENED =
      new ConnectionEvent.Opened("chat", "u-1", POD, "envoy-1", AT_MS, AT_MS);
  private static final LedgerRecord CLOSED =
      new ConnectionEvent.Closed("chat", "c-1", POD, "envoy-1", "max_duration", 61_500L, AT_MS);
  private static final LedgerRecord FAILED =
      new ConnectionEvent.Failed("games", "c-2", null, "envoy-1", 503, "connect\nfailure", AT_MS);
  private static final LedgerRecord ALIVE =
      new ConnectionEvent.Alive("chat", "envoy-1", Map.of(POD, List.of("a", "b")), AT_MS);
  private static final LedgerRecord ALLOWED =
      new Decision.Allowed("chat", "d-1", POD, 0, AT_MS, Mode.SHADOW, null);
  private static final LedgerRecord REJECTED =
      new Decision.Rejected(
          "chat",
          "d-2",
          RejectionReason.POD_LIMIT,
          null,
          3,
          AT_MS,
          null,
          new DecisionInputs(null, 1.0, 1, 0, 1, 0, 1, null, 9L));

  private static JsonNode json(LedgerRecord record) {
    try {
      return new ObjectMapper().readTree(RecordCodec.encode(record));
    } catch (IOException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static String line(LedgerRecord record) {
    return TailLine.of(json(record));
  }

  @Test
  void shouldShowARecordInOneLine() {
    assertThat(line(OPENED))
        .isEqualTo(
            "2025-11-21T12:00:00.123Z chat opened   u-1 pod=10.0.0.1:80 envoy=envoy-1 unleased");
    assertThat(line(CLOSED))
        .isEqualTo(
            "2025-11-21T12:00:00.123Z chat closed   c-1 reason=max_duration pod=10.0.0.1:80"
                + " lasted=61.500s envoy=envoy-1");
    assertThat(line(FAILED))
        .isEqualTo(
            "2025-11-21T12:00:00.123Z games failed   c-2 reason=connect?failure status=503"
                + " envoy=envoy-1");
    assertThat(line(ALIVE))
        .isEqualTo("2025-11-21T12:00:00.123Z chat alive    envoy=envoy-1 connections=2 pods=1");
    assertThat(line(ALLOWED))
        .isEqualTo("2025-11-21T12:00:00.123Z chat allowed  d-1 pod=10.0.0.1:80 mode=shadow");
    assertThat(line(REJECTED))
        .isEqualTo("2025-11-21T12:00:00.123Z chat rejected d-2 reason=pod_limit retry-after=3s");
    assertThat(line(((Decision.Rejected) REJECTED).lastOf(900, AT_MS - 99)))
        .isEqualTo(
            "2025-11-21T12:00:00.123Z chat rejected d-2 reason=pod_limit count=900 retry-after=3s");
  }

  private static List<LedgerRecord> wanted(TailFilter filter) {
    return List.of(OPENED, CLOSED, FAILED, ALIVE, ALLOWED, REJECTED).stream()
        .filter(record -> filter.wants(json(record)))
        .toList();
  }

  @Test
  void shouldFilter() {
    assertThat(wanted(new TailFilter(null, Set.of(), null)))
        .containsExactly(OPENED, CLOSED, FAILED, ALLOWED, REJECTED);
    assertThat(wanted(new TailFilter("games", Set.of(), null))).containsExactly(FAILED);
    assertThat(wanted(new TailFilter(null, Set.of("alive", "opened"), null)))
        .containsExactly(OPENED, ALIVE);
    assertThat(wanted(new TailFilter(null, Set.of(), "max_"))).containsExactly(CLOSED);
    assertThat(wanted(new TailFilter("chat", Set.of("rejected"), "pod_limit")))
        .containsExactly(REJECTED);
  }

  @Test
  void shouldReadWhereToBegin() {
    Start.Converter converter = new Start.Converter();

    assertThat(converter.convert("beginning")).isEqualTo(new Start.Beginning());
    assertThat(converter.convert("now")).isEqualTo(new Start.Now());
    assertThat(converter.convert("15m")).isEqualTo(new Start.Ago(Duration.ofMinutes(15)));
    assertThatThrownBy(() -> converter.convert("yesterday"))
        .isInstanceOf(TypeConversionException.class)
        .hasMessage(
            "'yesterday': allowed is beginning, now or a duration, written as 500ms, 10s, 5m or 1h");
  }
}
