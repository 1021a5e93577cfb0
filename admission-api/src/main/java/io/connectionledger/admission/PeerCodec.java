package io.connectionledger.admission;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The JSON of queries between instances, one version beside the next. Thread-safe. */
final class PeerCodec {

  private static final ObjectMapper MAPPER =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  private static final char NUL = 0;

  private PeerCodec() {}

  /**
   * What is asked in {@link PeerProtocol#DECIDE}: the name of a pool, then, when the client is
   * known by something, a NUL, which no name has, and that.
   */
  static byte[] question(String pool, @Nullable String key) {
    return (key == null ? pool : pool + NUL + key).getBytes(UTF_8);
  }

  /** The pool of a {@link #question}. */
  static String pool(String question) {
    int end = question.indexOf(NUL);
    return end < 0 ? question : question.substring(0, end);
  }

  /** What the client of a {@link #question} is known by; null when it is not. */
  static @Nullable String key(String question) {
    int end = question.indexOf(NUL);
    return end < 0 ? null : question.substring(end + 1);
  }

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
