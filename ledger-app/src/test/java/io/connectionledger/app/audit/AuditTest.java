package io.connectionledger.app.audit;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class AuditTest {

  private static final String ADDRESS = "10.0.0.1:80";

  private final Audit audit = new Audit();

  private static JsonNode json(String text) {
    try {
      return new ObjectMapper().readTree(text);
    } catch (JsonProcessingException mistake) {
      throw new IllegalArgumentException(mistake);
    }
  }

  private static JsonNode ledger(int active, int reserved) {
    return json(
        "{\"pods\":[{\"pod\":\"one\",\"address\":\"%s\",\"active\":%d,\"reserved\":%d}]}"
            .formatted(ADDRESS, active, reserved));
  }

  /** One look at the pod. */
  private void look(JsonNode before, long envoys, JsonNode after) {
    audit.add(List.of(new Audit.Look("chat", before, after, Map.of(ADDRESS, envoys))));
  }

  private long drift() {
    return audit.rows().getFirst().drift();
  }

  @Test
  void shouldTakeForEqualWhatIsBetweenTheLedgersAnswers() {
    look(ledger(5, 0), 7, ledger(6, 1));
    assertThat(drift()).isZero();

    look(ledger(6, 0), 5, ledger(5, 0));
    assertThat(drift()).isZero();
    assertThat(audit.drifted()).isZero();
  }

  @Test
  void shouldSayByHowMuchTheEnvoysCountIsOff() {
    look(ledger(5, 0), 8, ledger(6, 1));
    assertThat(audit.rows()).containsExactly(new Audit.Row("chat", "one", ADDRESS, 6, 8, 1));
    assertThat(audit.drifted()).isEqualTo(1);
  }

  @Test
  void shouldForgetADifferenceThatDidNotLast() {
    look(ledger(5, 0), 3, ledger(5, 0));
    assertThat(drift()).isEqualTo(-2);

    look(ledger(5, 0), 4, ledger(5, 0));
    assertThat(drift()).isEqualTo(-1);

    // It swings around the truth: connections come and go faster than they are told of.
    look(ledger(5, 0), 6, ledger(5, 0));
    assertThat(drift()).isZero();

    look(ledger(5, 0), 6, ledger(5, 0));
    assertThat(drift()).isZero();
  }

  @Test
  void shouldShowWhatOnlyTheEnvoysKnow() {
    audit.add(
        List.of(
            new Audit.Look(
                "chat", ledger(0, 0), ledger(0, 0), Map.of(ADDRESS, 0L, "10.0.0.9:80", 2L))));
    assertThat(audit.rows())
        .containsExactly(
            new Audit.Row("chat", "one", ADDRESS, 0, 0, 0),
            new Audit.Row("chat", "10.0.0.9:80", "10.0.0.9:80", 0, 2, 2));
  }

  @Test
  void shouldMissConnectionsOfAPodThatNoEnvoyHas() {
    audit.add(List.of(new Audit.Look("chat", ledger(2, 0), ledger(2, 0), Map.of())));
    assertThat(drift()).isEqualTo(-2);
  }

  @Test
  void shouldAddUpTheRequestsOfAllEnvoys() {
    // Given
    EnvoyCounts counts = new EnvoyCounts();
    // When
    counts.add(clusters("\"name\":\"rq_active\",\"value\":\"2\""));
    counts.add(clusters("\"name\":\"rq_active\",\"value\":\"3\""));
    counts.add(clusters("\"name\":\"rq_active\""));
    // Then
    assertThat(counts.of("chat")).isEqualTo(Map.of("10.0.0.1:80", 5L, "[fd00::7]:80", 0L));
    assertThat(counts.has("games")).isFalse();
  }

  private static JsonNode clusters(String stat) {
    return json(
        """
        {"cluster_statuses":[
          {"name":"authz"},
          {"name":"chat","host_statuses":[
            {"address":{"socket_address":{"address":"10.0.0.1","port_value":80}},
             "stats":[{"type":"GAUGE","name":"cx_active","value":"9"},{"type":"GAUGE",%s}]},
            {"address":{"socket_address":{"address":"FD00:0:0::7","port_value":80}},
             "stats":[{"type":"GAUGE","name":"rq_active"}]}]}]}
        """
            .formatted(stat));
  }
}
