package io.connectionledger.admission;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.Optional;

/** The JSON of queries between instances, one version beside the next. Thread-safe. */
final class PeerCodec {

  private static final ObjectMapper MAPPER =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  private PeerCodec() {}

  /** The bytes of an answer; none for an absent one. */
  static byte[] encode(Optional<?> answer) {
    try {
      return answer.isPresent() ? MAPPER.writeValueAsBytes(answer.get()) : PeerProtocol.NOTHING;
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException("plain values always encode", impossible);
    }
  }

  /**
   * Reads what {@link #encode} made.
   *
   * @throws IOException when it did not
   */
  static <T> Optional<T> decode(byte[] answer, TypeReference<T> type) throws IOException {
    return answer.length == 0 ? Optional.empty() : Optional.of(MAPPER.readValue(answer, type));
  }
}
