package io.connectionledger.streams.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.connectionledger.model.PodAddress;
import io.connectionledger.streams.rules.state.StoredCircuitBreaker;
import io.connectionledger.streams.rules.state.StoredConnection;
import io.connectionledger.streams.rules.state.StoredConnection.Ended;
import io.connectionledger.streams.rules.state.StoredConnection.Open;
import io.connectionledger.streams.rules.state.StoredConnection.Reserved;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class StoreCodecTest {

  private static final PodAddress POD = PodAddress.parse("[fd00::7]:8080");

  static Stream<StoredConnection> everyKindOfConnection() {
    return Stream.of(
        new Reserved(POD),
        new Open(POD, "envoy-1", 1_800_000_000_000L),
        new Open(POD, "envoy-ä", null),
        new Open(POD, "", 0L),
        new Ended());
  }

  @ParameterizedTest
  @MethodSource("everyKindOfConnection")
  void shouldReadBackWhatItWrote(StoredConnection written) {
    assertThat(StoreCodec.connection(StoreCodec.connection(written))).isEqualTo(written);
  }

  @ParameterizedTest
  @MethodSource("everyKindOfConnection")
  void shouldSurviveBytesThatAreNotItsOwn(StoredConnection written) {
    long seed = 1;
    Random random = new Random(seed);
    byte[] good = StoreCodec.connection(written);
    for (int i = 0; i < 1_000; i++) {
      byte[] bad = Arrays.copyOf(good, random.nextInt(good.length + 1));
      if (bad.length > 0) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt();
      }
      assertThatCode(() -> StoreCodec.connection(bad))
          .as("seed %d", seed)
          .doesNotThrowAnyException();
    }
  }

  @Test
  void shouldReadBackACircuitAndNothingElse() {
    StoredCircuitBreaker circuit = new StoredCircuitBreaker(3, 1_800_000_000_000L);

    assertThat(StoreCodec.circuit(StoreCodec.circuit(circuit))).isEqualTo(circuit);
    assertThat(StoreCodec.circuit(StoreCodec.connection(new Ended()))).isNull();
    assertThat(StoreCodec.circuit(new byte[13])).isNull();
  }

  @Test
  void shouldStartATallyAtZero() {
    assertThat(StoreCodec.tally((byte[]) null)).isEqualTo(new StoreCodec.Tally(0, -1));
    assertThat(StoreCodec.tally(StoreCodec.tally(new StoreCodec.Tally(3, 9))))
        .isEqualTo(new StoreCodec.Tally(3, 9));
  }
}
