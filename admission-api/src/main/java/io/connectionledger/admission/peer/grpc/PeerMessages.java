package io.connectionledger.admission.peer.grpc;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.google.protobuf.ByteString;
import io.connectionledger.admission.peer.proto.LendResponse;
import io.connectionledger.admission.peer.proto.PoolResponse;
import io.connectionledger.model.JsonBounds;
import io.connectionledger.model.UnreadableRecordException;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.Loan;
import io.connectionledger.model.event.RecordCodec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What the messages of peer.proto carry as JSON. Thread-safe. */
final class PeerMessages {

  /** Of answers, one version beside the next. */
  private static final ObjectMapper MAPPER =
      JsonMapper.builder(JsonBounds.factory())
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .build();

  /** The longest decision, which is read on the event loop that the checks wait for. */
  static final int MAX_DECISION_BYTES = 4 << 10;

  private PeerMessages() {}

  static ByteString bytes(Decision decision) {
    return ByteString.copyFrom(RecordCodec.encode(decision));
  }

  /** Reads what {@link #bytes} made. */
  static Decision decision(ByteString bytes) throws UnreadableRecordException {
    if (bytes.size() > MAX_DECISION_BYTES) {
      throw new UnreadableRecordException(
          "a decision of " + bytes.size() + " bytes: allowed are " + MAX_DECISION_BYTES);
    }
    return RecordCodec.decodeDecision(bytes.toByteArray());
  }

  static LendResponse lent(Optional<Loan> loan) {
    LendResponse.Builder response = LendResponse.newBuilder();
    loan.ifPresent(
        lent -> {
          response.getLoanBuilder().addAllKept(lent.kept());
          lent.added().forEach(slot -> response.getLoanBuilder().addAdded(bytes(slot)));
        });
    return response.build();
  }

  /** Reads what {@link #lent} made; empty when the one who was asked does not own the pool. */
  static Optional<Loan> loan(LendResponse response) throws UnreadableRecordException {
    if (!response.hasLoan()) {
      return Optional.empty();
    }
    List<Decision.Allowed> added = new ArrayList<>();
    for (ByteString slot : response.getLoan().getAddedList()) {
      if (decision(slot) instanceof Decision.Allowed allowed) {
        added.add(allowed);
      }
    }
    return Optional.of(new Loan(response.getLoan().getKeptList(), added));
  }

  static PoolResponse answer(Optional<?> answer) {
    try {
      return answer.isPresent()
          ? PoolResponse.newBuilder()
              .setJson(ByteString.copyFrom(MAPPER.writeValueAsBytes(answer.get())))
              .build()
          : PoolResponse.getDefaultInstance();
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException("plain values always encode", impossible);
    }
  }

  /**
   * Reads what {@link #answer(Optional)} made.
   *
   * @throws IOException when it did not
   */
  static <T> Optional<T> answer(PoolResponse response, TypeReference<T> type) throws IOException {
    return response.hasJson()
        ? Optional.of(MAPPER.readValue(response.getJson().toByteArray(), type))
        : Optional.empty();
  }
}
