package io.connectionledger.admission.peer.grpc;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.connectionledger.admission.peer.Question;
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
   * What is asked in {@link PeerProtocol#DECIDE}: the parts of a question with a NUL, which none of
   * them has, between two; what is not known is empty, and left out at the end.
   */
  static byte[] encode(Question question) {
    String key = question.key() == null ? "" : question.key();
    String text =
        question.listener() != null
            ? question.pool() + NUL + key + NUL + question.listener()
            : key.isEmpty() ? question.pool() : question.pool() + NUL + key;
    return text.getBytes(UTF_8);
  }

  /** Reads what {@link #encode(Question)} made. */
  static Question decode(byte[] question) {
    String text = new String(question, UTF_8);
    int pool = text.indexOf(NUL);
    if (pool < 0) {
      return new Question(text, null, null);
    }
    int key = text.indexOf(NUL, pool + 1);
    return new Question(
        text.substring(0, pool),
        part(text.substring(pool + 1, key < 0 ? text.length() : key)),
        key < 0 ? null : part(text.substring(key + 1)));
  }

  private static @Nullable String part(String text) {
    return text.isEmpty() ? null : text;
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
