package io.connectionledger.model.audit;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.connectionledger.model.Topics;
import io.connectionledger.model.UnreadableRecordException;
import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A value of {@link Topics#AUDIT}: somebody changed a pool, or asked to. There are two for each
 * change with the same id: what was asked, written before anything is done, and what became of it.
 *
 * @param id the same as in the header {@code x-ledger-audit} of the answer
 * @param action what was asked
 * @param result what became of it
 * @param who the caller: {@code token:} and a fingerprint, {@code jwt:} and the subject, or {@code
 *     anybody}
 * @param role the caller's
 * @param address from where
 * @param pod the address of the pod that it is about; null for the whole pool
 * @param before of the policy, as the API shows it, what changes
 * @param after the same as it is from then on
 * @param reason why it failed; null when it did not
 * @param atMs milliseconds since the epoch
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record AuditEntry(
    String id,
    String pool,
    Action action,
    Result result,
    String who,
    String role,
    String address,
    @Nullable String pod,
    ObjectNode before,
    ObjectNode after,
    @Nullable String reason,
    long atMs) {

  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /** What can be asked. */
  public enum Action {
    PUT_POLICY,
    DELETE_POLICY,
    DRAIN,
    UNDRAIN;

    /** How it is written. */
    @JsonValue
    public String label() {
      return AuditEntry.label(this);
    }

    @JsonCreator
    static Action of(String label) {
      return AuditEntry.of(values(), label);
    }
  }

  /** What becomes of it. */
  public enum Result {
    /** It is about to be done. */
    ASKED,
    /** It is in force. */
    DONE,
    /** It is not in force, as far as this instance knows. */
    FAILED;

    /** How it is written. */
    @JsonValue
    public String label() {
      return AuditEntry.label(this);
    }

    @JsonCreator
    static Result of(String label) {
      return AuditEntry.of(values(), label);
    }
  }

  /** Leaves of {@code before} and {@code after} what differs. */
  public AuditEntry {
    // What reads JSON leaves absent components null, whatever their type promises.
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(pool, "pool");
    Objects.requireNonNull(action, "action");
    Objects.requireNonNull(result, "result");
    Objects.requireNonNull(who, "who");
    ObjectNode was = Objects.requireNonNull(before, "before");
    ObjectNode is = Objects.requireNonNull(after, "after");
    before = without(was, is);
    after = without(is, was);
  }

  private static ObjectNode without(ObjectNode one, ObjectNode other) {
    ObjectNode rest = one.deepCopy();
    rest.properties().removeIf(entry -> entry.getValue().equals(other.get(entry.getKey())));
    return rest;
  }

  private static String label(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  private static <E extends Enum<E>> E of(E[] values, String label) {
    return Arrays.stream(values)
        .filter(value -> label(value).equals(label))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("unknown: " + label));
  }

  /** What became of what was asked. */
  public AuditEntry ended(
      Result how, ObjectNode wasBefore, ObjectNode isAfter, @Nullable String why, long nowMs) {
    return new AuditEntry(
        id, pool, action, how, who, role, address, pod, wasBefore, isAfter, why, nowMs);
  }

  /** The value of the record. */
  public byte[] encode() {
    try {
      return MAPPER.writeValueAsBytes(this);
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException("records of plain values always encode", impossible);
    }
  }

  /**
   * Reads a value.
   *
   * @throws UnreadableRecordException when {@code json} is none
   */
  public static AuditEntry decode(byte[] json) throws UnreadableRecordException {
    try {
      return MAPPER.readValue(json, AuditEntry.class);
    } catch (IOException invalid) {
      throw new UnreadableRecordException(String.valueOf(invalid.getMessage()), invalid);
    }
  }
}
