package io.connectionledger.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.connectionledger.ingest.translate.AccessLogTranslator;
import io.connectionledger.ingest.translate.AdmissionMetadata;
import io.connectionledger.ingest.translate.Translation.Event;
import io.connectionledger.ingest.translate.Translation.Heartbeat;
import io.connectionledger.ingest.translate.Translation.Ignored;
import io.connectionledger.ingest.translate.Translation.Limited;
import io.connectionledger.ingest.translate.Translation.Malformed;
import io.connectionledger.model.UnreadableRecordException;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.RecordCodec;
import io.connectionledger.model.policy.PoolIndex;
import io.connectionledger.model.policy.PoolPolicy;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.Pipe;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPAccessLogEntry;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Entries drawn at random: nothing may be thrown, and nothing unreadable may come out. */
class AccessLogGarbageTest {

  private static final int ENTRIES = 50_000;
  private static final List<String> TEXTS =
      List.of(
          "",
          " ",
          "chat",
          "a|b",
          "10.0.0.7",
          "fd00::7",
          "::",
          "1.2.3",
          "[::1]",
          "\n\t\u2028",
          "ext_authz_denied",
          "AZxk3r0R5bcdefgh",
          "😀".repeat(150),
          "x".repeat(5_000),
          "%",
          "null");

  @Test
  void shouldNeverThrowAndNeverWriteWhatTheOtherSideCannotRead()
      throws InvalidProtocolBufferException, UnreadableRecordException {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    AccessLogTranslator translator = new AccessLogTranslator("envoy-1", () -> PoolIndex.EMPTY);
    int counted = 0;

    for (int i = 0; i < ENTRIES; i++) {
      HTTPAccessLogEntry entry = random.nextInt(4) == 0 ? mutated(random) : drawn(random);
      try {
        switch (translator.translate(entry, 7)) {
          case Event event -> {
            byte[] written = RecordCodec.encode(event.event());
            assertThat(RecordCodec.decodeEvent(written)).isEqualTo(event.event());
            counted++;
          }
          case Heartbeat heartbeat -> {
            assertThat(PoolPolicy.isValidName(heartbeat.pool())).isTrue();
            assertThat(ConnectionIds.isValid(heartbeat.connection())).isTrue();
            counted++;
          }
          case Malformed malformed ->
              assertThat(malformed.reason())
                  .isNotBlank()
                  .doesNotContain("\n")
                  .hasSizeLessThanOrEqualTo(200);
          case Limited limited -> {}
          case Ignored ignored -> {}
        }
      } catch (RuntimeException | AssertionError failure) {
        throw new AssertionError("seed " + seed + ", entry " + i + ": " + entry, failure);
      }
    }

    assertThat(counted).as("entries that meant something, seed %d", seed).isPositive();
  }

  private static HTTPAccessLogEntry drawn(Random random) {
    HTTPAccessLogEntry.Builder entry = HTTPAccessLogEntry.newBuilder();
    entry.setProtocolVersionValue(random.nextInt(6));
    var common = entry.getCommonPropertiesBuilder();
    common.setAccessLogTypeValue(random.nextInt(3) == 0 ? random.nextInt(20) : 5);
    if (random.nextBoolean()) {
      common.setAccessLogTypeValue(random.nextBoolean() ? 6 : 10);
    }
    common.setUpstreamCluster(text(random));
    common.setUpstreamRemoteAddress(address(random));
    if (random.nextBoolean()) {
      common.setDownstreamRemoteAddress(address(random));
    }
    common.getStartTimeBuilder().setSeconds(random.nextLong()).setNanos(random.nextInt());
    common.getDurationBuilder().setSeconds(random.nextLong()).setNanos(random.nextInt());
    Struct.Builder metadata = Struct.newBuilder();
    for (String key : List.of("pool", "reservation", "pod", "reason", "x-ledger-reservation")) {
      if (random.nextInt(3) == 0) {
        metadata.putFields(key, value(random));
      }
    }
    common.getMetadataBuilder().putFilterMetadata(AdmissionMetadata.NAMESPACE, metadata.build());
    Entries.code(entry, new int[] {101, 200, 503, -1, random.nextInt()}[random.nextInt(5)]);
    entry.getResponseBuilder().setResponseCodeDetails(text(random));
    return entry.build();
  }

  /** A true entry with a few bytes changed on the wire. */
  private static HTTPAccessLogEntry mutated(Random random) {
    byte[] wire = Entries.ended(Entries.RESERVATION).toByteArray();
    for (int i = 0; i < 3; i++) {
      wire[random.nextInt(wire.length)] = (byte) random.nextInt();
    }
    try {
      return HTTPAccessLogEntry.parseFrom(wire);
    } catch (InvalidProtocolBufferException refusedByTheParser) {
      return HTTPAccessLogEntry.getDefaultInstance();
    }
  }

  private static Value value(Random random) {
    return random.nextInt(5) == 0
        ? Value.newBuilder().setNumberValue(random.nextDouble()).build()
        : Value.newBuilder().setStringValue(text(random)).build();
  }

  private static Address address(Random random) {
    return random.nextInt(5) == 0
        ? Address.newBuilder().setPipe(Pipe.newBuilder().setPath(text(random))).build()
        : Entries.address(text(random), random.nextBoolean() ? 8080 : random.nextInt());
  }

  private static String text(Random random) {
    return TEXTS.get(random.nextInt(TEXTS.size()));
  }
}
