package io.connectionledger.model.event;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Topics;
import io.connectionledger.model.UnreadableRecordException;
import io.connectionledger.model.policy.PoolPolicy;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class RecordCodecTest {

  private static final PodAddress POD = PodAddress.parse("10.0.0.7:8080");

  static Stream<LedgerRecord> everyKindOfRecord() {
    return Stream.of(
        new ConnectionEvent.Opened("chat", "c1", POD, "envoy-1", 5, 7),
        new ConnectionEvent.Alive("chat", "envoy-1", Map.of(POD, List.of("c1", "c2")), 7),
        new ConnectionEvent.Closed("chat", "c1", POD, "envoy-1", "done", 12L, 7),
        new ConnectionEvent.Closed("chat", "c1", POD, "envoy-1", "done", null, 7),
        new ConnectionEvent.Failed("chat", "c1", POD, "envoy-1", 503, "refused", 7),
        new ConnectionEvent.Failed("chat", "c1", null, "envoy-1", 0, "gone", 7),
        new Decision.Allowed("chat", "c1", POD, 0, 7),
        new Decision.Allowed(
            "chat",
            "c1",
            POD,
            0,
            7,
            PoolPolicy.Mode.SHADOW,
            new DecisionInputs(DecisionInputs.Choice.TRIAL, 2.5, 3, 1, 7, 2, 50, 4, null)),
        new Decision.Rejected(
            "chat",
            "c1",
            RejectionReason.RATE_LIMITED,
            null,
            3,
            7,
            null,
            new DecisionInputs(null, 0.25, 3, 0, 7, 2, 50, null, 750L)),
        new Decision.Rejected("chat", "c1", RejectionReason.POD_LIMIT, null, 3, 7),
        new Decision.Rejected("chat", "c1", RejectionReason.POD_LIMIT, POD, 3, 7),
        new Decision.Rejected("chat", "c1", RejectionReason.POD_LIMIT, POD, 3, 7).lastOf(9, 5));
  }

  @ParameterizedTest
  @MethodSource("everyKindOfRecord")
  void shouldReadBackWhatItWrote(LedgerRecord written) throws UnreadableRecordException {
    byte[] json = RecordCodec.encode(written);

    LedgerRecord read =
        written instanceof Decision
            ? RecordCodec.decodeDecision(json)
            : RecordCodec.decodeEvent(json);

    assertThat(read).isEqualTo(written);
  }

  @Test
  void shouldFitTheLargestHeartbeatIntoTheLeastRecordOfATopic() {
    Map<PodAddress, List<String>> pods = new HashMap<>();
    for (int i = 0; i < 1_000; i++) {
      PodAddress pod =
          PodAddress.parse("[2001:db8:1111:2222:3333:4444:5555:%x]:65535".formatted(0x1000 + i));
      pods.put(pod, List.of("%064d".formatted(i)));
    }

    byte[] json =
        RecordCodec.encode(
            new ConnectionEvent.Alive("p".repeat(128), "e".repeat(253), pods, Long.MAX_VALUE));

    assertThat(json).hasSizeBetween(100_000, Topics.LEAST_MESSAGE_BYTES - 1_024);
  }

  @Test
  void shouldWriteTheFormThatTheSchemasDescribe() {
    byte[] json = RecordCodec.encode(new ConnectionEvent.Opened("chat", "u-1", POD, "e", 5, 7));

    assertThat(new String(json, UTF_8))
        .isEqualTo(
            """
            {"type":"opened","pool":"chat","connection":"u-1","pod":"10.0.0.7:8080",\
            "envoy":"e","startedAtMs":5,"atMs":7,"unleased":true}""");
  }

  @Test
  void shouldTakeADecisionWithoutACountForOneCheck() throws UnreadableRecordException {
    byte[] json =
        """
        {"type":"rejected","pool":"chat","id":"c1","reason":"pod_limit","retryAfterSeconds":3,"atMs":7}
        """
            .getBytes(UTF_8);

    assertThat(RecordCodec.decodeDecision(json).attempts()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"count\":0",
        "\"count\":-5",
        "\"count\":5000000000",
        "\"count\":2,\"fromMs\":8",
        "\"count\":2,\"fromMs\":-1"
      })
  void shouldRefuseACountThatIsNone(String fields) {
    String json =
        """
        {"type":"rejected","pool":"chat","id":"c1","reason":"pod_limit","retryAfterSeconds":3,"atMs":7,%s}
        """
            .formatted(fields);

    assertThatThrownBy(() -> RecordCodec.decodeDecision(json.getBytes(UTF_8)))
        .isInstanceOf(UnreadableRecordException.class);
  }

  @Test
  void shouldIgnoreFieldsOfALaterVersion() throws UnreadableRecordException {
    byte[] json =
        """
        {"type":"allowed","pool":"chat","id":"c1","pod":"10.0.0.7:8080","bucketNanos":0,"atMs":7,"later":{"a":1}}
        """
            .getBytes(UTF_8);

    Decision read = RecordCodec.decodeDecision(json);

    assertThat(read).isEqualTo(new Decision.Allowed("chat", "c1", POD, 0, 7));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "[]",
        "not json",
        "{}",
        "{\"type\":\"vanished\"}",
        "{\"type\":\"opened\",\"pool\":\"chat\",\"connection\":\"c1\",\"envoy\":\"e\"}",
        "{\"type\":\"alive\",\"pool\":\"chat\",\"envoy\":\"e\",\"atMs\":1}",
        "{\"type\":\"alive\",\"pool\":\"chat\",\"envoy\":\"e\",\"atMs\":1,\"pods\":{\"x\":[]}}",
        "{\"type\":\"closed\",\"pool\":\"ch|at\",\"connection\":\"c1\",\"pod\":\"1.2.3.4:5\","
            + "\"envoy\":\"e\",\"reason\":\"r\",\"atMs\":1}",
        "{\"type\":\"closed\",\"pool\":\"chat\",\"connection\":\"c 1\",\"pod\":\"1.2.3.4:5\","
            + "\"envoy\":\"e\",\"reason\":\"r\",\"atMs\":1}"
      })
  void shouldRefuseWhatIsNoEventInOneLine(String json) {
    assertThatThrownBy(() -> RecordCodec.decodeEvent(json.getBytes(UTF_8)))
        .isInstanceOf(UnreadableRecordException.class)
        .message()
        .doesNotContain("\n")
        .hasSizeLessThanOrEqualTo(200);
  }
}
