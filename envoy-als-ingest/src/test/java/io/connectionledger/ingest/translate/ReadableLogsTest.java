package io.connectionledger.ingest.translate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.connectionledger.ingest.Entries;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPAccessLogEntry;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsMessage;
import io.grpc.StatusRuntimeException;
import java.io.ByteArrayInputStream;
import java.util.Random;
import org.junit.jupiter.api.Test;

public class ReadableLogsTest {

  /** Two characters that stand for two bytes which are no UTF-8. */
  private static final String BAD = "@@";

  private static ReadableLogs.Received read(byte[] bytes) {
    return ReadableLogs.MARSHALLER.parse(new ByteArrayInputStream(bytes));
  }

  public static byte[] withBadBytes(StreamAccessLogsMessage message) {
    byte[] bytes = message.toByteArray();
    for (int i = 0; i + 1 < bytes.length; i++) {
      if (bytes[i] == '@' && bytes[i + 1] == '@') {
        bytes[i] = (byte) 0xFF;
        bytes[i + 1] = (byte) 0xFE;
      }
    }
    return bytes;
  }

  @Test
  void shouldReadAMessageAsItIs() {
    StreamAccessLogsMessage message = Entries.message(Entries.opened("a"), Entries.periodic("b"));

    assertThat(read(message.toByteArray())).isEqualTo(new ReadableLogs.Received(message, false));
  }

  @Test
  void shouldKeepAllButTheBadBytes() {
    HTTPAccessLogEntry.Builder bad = Entries.periodic("a").toBuilder();
    bad.getCommonPropertiesBuilder().setStreamId("x" + BAD + "y");
    bad.getRequestBuilder().setUserAgent(BAD).putRequestHeaders("upgrade" + BAD, BAD);
    StreamAccessLogsMessage message = Entries.message(bad.build(), Entries.periodic("b"));

    ReadableLogs.Received received = read(withBadBytes(message));

    assertThat(received.mended()).isTrue();
    HTTPAccessLogEntry mended = received.message().getHttpLogs().getLogEntry(0);
    assertThat(mended.getCommonProperties().getStreamId()).isEqualTo("x\uFFFD\uFFFDy");
    assertThat(mended.getRequest().getRequestHeadersMap())
        .containsEntry("upgrade\uFFFD\uFFFD", "\uFFFD\uFFFD");
    assertThat(mended.getCommonProperties().getMetadata())
        .isEqualTo(Entries.periodic("a").getCommonProperties().getMetadata());
    assertThat(received.message().getHttpLogs().getLogEntry(1)).isEqualTo(Entries.periodic("b"));
    assertThat(ReadableLogs.isMended(mended)).isTrue();
    assertThat(ReadableLogs.isMended(received.message().getHttpLogs().getLogEntry(1))).isFalse();
  }

  @Test
  void shouldRefuseWhatIsNoProtobuf() {
    assertThatThrownBy(() -> read(new byte[] {(byte) 0xFF, 1, 2, 3}))
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessageContaining("no StreamAccessLogsMessage");
  }

  @Test
  void shouldReadOrRefuseWhateverComes() {
    Random random = new Random(1);
    byte[] message = Entries.message(Entries.opened("a"), Entries.periodic("b")).toByteArray();
    int read = 0;
    for (int i = 0; i < 20_000; i++) {
      byte[] spoilt = message.clone();
      for (int j = random.nextInt(4); j >= 0; j--) {
        spoilt[random.nextInt(spoilt.length)] = (byte) random.nextInt();
      }
      try {
        ByteString again = read(spoilt).message().toByteString();
        assertThat(read(again.toByteArray()).mended()).isFalse();
        read++;
      } catch (StatusRuntimeException refused) {
        assertThat(refused).hasMessageContaining("INTERNAL");
      }
    }
    assertThat(read).isGreaterThan(5_000);
  }
}
