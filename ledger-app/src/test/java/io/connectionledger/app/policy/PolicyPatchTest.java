package io.connectionledger.app.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.connectionledger.app.cli.FailedException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class PolicyPatchTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "perPodMaxConnections=5              | {\"perPodMaxConnections\":5}",
        "per-pod-max-connections=5           | {\"perPodMaxConnections\":5}",
        "connections-per-second=null         | {\"connectionsPerSecond\":null}",
        "slow-start=30s                      | {\"slowStart\":\"30s\"}",
        "mode=shadow                         | {\"mode\":\"shadow\"}",
        "mode=                               | {\"mode\":\"\"}",
        "affinity.source-address=true        | {\"affinity\":{\"sourceAddress\":true}}",
        "a=b=c                               | {\"a\":\"b=c\"}",
        "pods=[]                             | {\"pods\":[]}",
        "pods=[}                             | {\"pods\":\"[}\"}",
      })
  void shouldReadWhatIsTyped(String assignment, String json) throws Exception {
    assertThat(PolicyPatch.ofAssignments(List.of(assignment))).hasToString(json);
  }

  @Test
  void shouldPutKeysOfOneObjectTogether() throws Exception {
    assertThat(PolicyPatch.ofAssignments(List.of("affinity.a=1", "affinity.b=2", "c=3")))
        .hasToString("{\"affinity\":{\"a\":1,\"b\":2},\"c\":3}");
  }

  @ParameterizedTest
  @CsvSource({"mode", "=5"})
  void shouldRefuseWhatIsNoAssignment(String assignment) {
    assertThatThrownBy(() -> PolicyPatch.ofAssignments(List.of(assignment)))
        .isInstanceOf(FailedException.class)
        .hasMessage("'" + assignment + "': allowed is KEY=VALUE");
  }

  @Test
  void shouldReadAFileInTheFormOfTheConfiguration() throws Exception {
    assertThat(
            PolicyPatch.ofYaml(
                """
                per-pod-max-connections: 5   # a remark
                affinity: { source-address: true }
                pods: [ { name: one-two, address: "10.0.0.1:80" } ]
                """,
                "f"))
        .hasToString(
            "{\"perPodMaxConnections\":5,\"affinity\":{\"sourceAddress\":true},"
                + "\"pods\":[{\"name\":\"one-two\",\"address\":\"10.0.0.1:80\"}]}");
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      value = {"5", "[a]", "``", "{ a"})
  void shouldRefuseAFileOfOtherThings(String yaml) {
    assertThatThrownBy(() -> PolicyPatch.ofYaml(yaml, "--file f"))
        .isInstanceOf(FailedException.class)
        .hasMessageStartingWith("--file f");
  }

  @Test
  void shouldTellWhatChanged() throws Exception {
    // Given
    ObjectMapper json = new ObjectMapper();
    // When
    List<PolicyPatch.Difference> differences =
        PolicyPatch.differences(
            json.readTree(
                "{\"asOf\":\"1\",\"source\":\"configuration\",\"a\":1,\"b\":\"x\",\"c\":{\"d\":1}}"),
            json.readTree(
                "{\"asOf\":\"2\",\"source\":\"api\",\"a\":2,\"b\":\"x\",\"c\":{},\"e\":null}"));
    // Then
    assertThat(differences)
        .containsExactly(
            new PolicyPatch.Difference("a", "1", "2"),
            new PolicyPatch.Difference("c", "{\"d\":1}", "{}"),
            new PolicyPatch.Difference("e", "-", "null"));
  }
}
