package io.connectionledger.model.policy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.UnreadableRecordException;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PolicyCodecTest {

  private static final Pod ONE = new Pod("one", PodAddress.parse("10.0.0.1:80"));
  private static final Pod TWO = new Pod("two", PodAddress.parse("[fd00::7]:80"));
  private static final PoolPolicy PACED = policy(2.5, 10, 7);
  private static final PoolPolicy UNLIMITED = policy(PoolPolicy.UNLIMITED_RATE, 1, 3);

  @Test
  void shouldReadBackWhatItWrote() throws UnreadableRecordException {
    PolicyRecord written = new PolicyRecord(PACED, UNLIMITED, Set.of(TWO.address()), 9);

    assertThat(PolicyCodec.decode(PolicyCodec.encode(written))).isEqualTo(written);
  }

  @Test
  void shouldReadBackHowFastAPodDrains() throws UnreadableRecordException {
    PolicyRecord written =
        PolicyRecord.ofBase(PACED, Set.of(), 9)
            .withDrain(ONE.address(), null, 10)
            .withDrain(TWO.address(), new DrainPace(5, 65, 3), 11);

    assertThat(PolicyCodec.decode(PolicyCodec.encode(written))).isEqualTo(written);
    assertThat(written.paces()).containsOnlyKeys(TWO.address());
    assertThat(written.withoutDrain(TWO.address(), 12).paces()).isEmpty();
  }

  @Test
  void shouldWriteTheFormThatTheSchemaDescribes() {
    byte[] json = PolicyCodec.encode(new PolicyRecord(UNLIMITED, PACED, Set.of(ONE.address()), 9));

    assertThat(new String(json, UTF_8))
        .isEqualTo(
            """
            {"pool":"chat","policy":{"connectionsPerSecond":null,"burstCapacity":1,\
            "perPodMaxConnections":3,"mode":"enforce","onOwnerLoss":"deny",\
            "pods":[{"name":"one","address":"10.0.0.1:80"},\
            {"name":"two","address":"[fd00::7]:80"}],\
            "placement":"least-connections","affinity":{},"slowStart":"30s","targetUtilisation":0.8,"clusters":[],"hosts":[]},\
            "base":{"connectionsPerSecond":2.5,"burstCapacity":10,\
            "perPodMaxConnections":7,"mode":"enforce","onOwnerLoss":"deny",\
            "pods":[{"name":"one","address":"10.0.0.1:80"},\
            {"name":"two","address":"[fd00::7]:80"}],\
            "placement":"least-connections","affinity":{},"slowStart":"30s","targetUtilisation":0.8,"clusters":[],"hosts":[]},\
            "draining":["10.0.0.1:80"],"atMs":9}""");
  }

  @Test
  void shouldIgnoreFieldsOfALaterVersion() throws UnreadableRecordException {
    PolicyRecord written = PolicyRecord.ofBase(PACED, Set.of(), 9);
    String json =
        new String(PolicyCodec.encode(written), UTF_8)
            .replace("\"mode\":", "\"later\":{\"a\":1},\"mode\":");

    assertThat(PolicyCodec.decode(json.getBytes(UTF_8))).isEqualTo(written);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "[]",
        "not json",
        "{}",
        "{\"pool\":\"chat\",\"policy\":{},\"base\":{},\"atMs\":1}",
        "{\"pool\":\"ch|at\",\"policy\":{\"perPodMaxConnections\":1},\"base\":{},\"atMs\":1}"
      })
  void shouldRefuseWhatIsNoPolicyInOneLine(String json) {
    assertThatThrownBy(() -> PolicyCodec.decode(json.getBytes(UTF_8)))
        .isInstanceOf(UnreadableRecordException.class)
        .message()
        .doesNotContain("\n")
        .hasSizeLessThanOrEqualTo(200);
  }

  @Test
  void shouldChangeTheKeysThatAreThereAndNoOthers() {
    PoolPolicy changed = changed(PACED, "{\"perPodMaxConnections\":9,\"mode\":\"shadow\"}");

    assertThat(changed)
        .isEqualTo(
            new PoolPolicy(
                "chat",
                2.5,
                10,
                9,
                PoolPolicy.Mode.SHADOW,
                PoolPolicy.OnOwnerLoss.DENY,
                List.of(ONE, TWO)));
  }

  @Test
  void shouldTakeItsOwnAnswerBack() {
    String answer = PolicyCodec.tree(UNLIMITED).put("asOf", "now").toString();

    assertThat(changed(UNLIMITED, answer)).isEqualTo(UNLIMITED);
  }

  @Test
  void shouldLiftAndSetTheRate() {
    assertThat(changed(PACED, "{\"connectionsPerSecond\":null}").connectionsPerSecond())
        .isEqualTo(PoolPolicy.UNLIMITED_RATE);
    assertThat(changed(UNLIMITED, "{\"connectionsPerSecond\":4}").connectionsPerSecond())
        .isEqualTo(4);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "no | the body | no JSON | a JSON object",
        "[] | the body | no object | a JSON object",
        "{\"perPodMaxConnections\":0} | perPodMaxConnections | 0 | 1 to 10000000",
        "{\"perPodMaxConnections\":1.5} | perPodMaxConnections | 1.5 | a whole number",
        "{\"perPodMaxConnections\":\"2\"} | perPodMaxConnections | \"2\" | a whole number",
        "{\"perPodMaxConnections\":null} | perPodMaxConnections | null | a value",
        "{\"perPodMaxConnections\":99999999999} | perPodMaxConnections | 99999999999"
            + " | a whole number",
        "{\"burstCapacity\":1000001} | burstCapacity | 1000001 | 1 to 1000000",
        "{\"connectionsPerSecond\":0} | connectionsPerSecond | 0.0 | 0.001 to 1000000",
        "{\"connectionsPerSecond\":\"x\"} | connectionsPerSecond | \"x\""
            + " | a number, or null for no limit",
        "{\"targetUtilisation\":2} | targetUtilisation | 2.0 | 0.1 to 1",
        "{\"targetUtilisation\":{}} | targetUtilisation | {} | a number",
        "{\"mode\":\"off\"} | mode | \"off\" | enforce or shadow",
        "{\"limit\":1} | limit | 1 | one of connectionsPerSecond, burstCapacity,"
            + " perPodMaxConnections, mode, onOwnerLoss, pods, placement, affinity, slowStart,"
            + " targetUtilisation, clusters, hosts, kubernetes",
        "{\"pods\":\"x\"} | pods | \"x\" | a list",
        "{\"pods\":[{\"name\":\"a\",\"address\":\"b:1\"}]} | pods[0].address | \"b:1\""
            + " | 'b:1' is not a pod address: allowed is ip:port or [ipv6]:port, IPv4 without"
            + " leading zeros, IPv6 without a zone",
        "{\"pods\":[{\"name\":\"a\",\"address\":\"1.2.3.4:5\",\"zone\":7}]} | pods[0].zone | 7"
            + " | one of name, address",
        "{\"pods\":[{\"name\":\"a\",\"address\":\"1.2.3.4:5\"},"
            + "{\"name\":\"a\",\"address\":\"1.2.3.4:6\"}]} | pods[1] | 'a' at 1.2.3.4:6"
            + " | a name and an address that no other pod has",
        "{\"pods\":[{\"name\":\"a\",\"address\":\"[::1]:5\"},"
            + "{\"name\":\"b\",\"address\":\"[0:0:0:0:0:0:0:1]:5\"}]} | pods[1].address"
            + " | [0:0:0:0:0:0:0:1]:5"
            + " | an address that no other pod has; another has it as '[::1]:5'",
      })
  void shouldRefuseWithKeyValueAndWhatIsAllowed(
      String json, String key, String value, String allowed) {
    assertThatThrownBy(() -> changed(PACED, json))
        .isInstanceOfSatisfying(
            InvalidPolicyException.class,
            refusal -> {
              assertThat(refusal.key()).isEqualTo(key);
              assertThat(refusal.value()).isEqualTo(value);
              assertThat(refusal.allowed()).isEqualTo(allowed);
            });
  }

  @Test
  void shouldKeepAnAddressInItsCanonicalForm() {
    PoolPolicy policy =
        changed(PACED, "{\"pods\":[{\"name\":\"a\",\"address\":\"[0::FFFF:10.0.0.1]:5\"}]}");

    assertThat(policy.pods()).containsExactly(new Pod("a", new PodAddress("10.0.0.1", 5)));
    assertThat(PolicyCodec.tree(policy).at("/pods/0/address").asText()).isEqualTo("10.0.0.1:5");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"pods\":[{}]}",
        "{\"pods\":[null]}",
        "{\"pods\":[{\"name\":\"a\"}]}",
        "{\"pods\":[{\"name\":\"a\",\"address\":null}]}",
        "{\"pods\":[{\"name\":null,\"address\":\"1.2.3.4:5\"}]}",
        "{\"mode\":{}}",
        "{\"connectionsPerSecond\":\"Infinity\"}",
        "{\"connectionsPerSecond\":1e999}",
      })
  void shouldRefuseWhatIsNoPolicy(String json) {
    assertThatThrownBy(() -> changed(PACED, json)).isInstanceOf(InvalidPolicyException.class);
  }

  private static PoolPolicy changed(PoolPolicy current, String json) {
    return PolicyCodec.changed(current, json.getBytes(UTF_8), Set.of("asOf"));
  }

  private static PoolPolicy policy(double rate, int burst, int perPod) {
    return new PoolPolicy(
        "chat",
        rate,
        burst,
        perPod,
        PoolPolicy.Mode.ENFORCE,
        PoolPolicy.OnOwnerLoss.DENY,
        List.of(ONE, TWO));
  }
}
