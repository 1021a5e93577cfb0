package io.connectionledger.streams.store;

import io.connectionledger.model.PodAddress;
import io.connectionledger.streams.rules.state.StoredCircuitBreaker;
import io.connectionledger.streams.rules.state.StoredConnection;
import io.connectionledger.streams.rules.state.StoredConnection.Ended;
import io.connectionledger.streams.rules.state.StoredConnection.Open;
import io.connectionledger.streams.rules.state.StoredConnection.Reserved;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of the state stores. A million connections are read back at a restart, so they are
 * binary; the first byte says which form it is, so that a later version can tell.
 */
public final class StoreCodec {

  private static final byte RESERVED = 1;
  private static final byte OPEN = 2;
  private static final byte ENDED = 3;
  private static final byte CIRCUIT = 4;
  private static final byte INTERVAL = 5;
  private static final long UNKNOWN_START = Long.MIN_VALUE;
  private static final long OVERDUE = 1;

  /**
   * How often something happened within a bucket of the history.
   *
   * @param lastOffset the offset of the last record that was counted: one that comes again after a
   *     crash is not counted again
   */
  public record Tally(long count, long lastOffset) {}

  private StoreCodec() {}

  public static byte[] connection(StoredConnection connection) {
    return switch (connection) {
      case Reserved r ->
          strings(
              RESERVED,
              r.overdue() ? OVERDUE : 0,
              r.pod().toString(),
              r.listener() == null ? "" : r.listener());
      case Open o ->
          strings(
              OPEN,
              o.startedAtMs() == null ? UNKNOWN_START : o.startedAtMs(),
              o.pod().toString(),
              o.envoy());
      case Ended e -> new byte[] {ENDED};
    };
  }

  private static byte[] strings(byte form, long number, String first, String second) {
    byte[] a = first.getBytes(StandardCharsets.UTF_8);
    byte[] b = second.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(1 + Long.BYTES + Short.BYTES + a.length + b.length)
        .put(form)
        .putLong(number)
        .putShort((short) a.length)
        .put(a)
        .put(b)
        .array();
  }

  /**
   * Reads a stored connection.
   *
   * @return null when the bytes are none
   */
  public static @Nullable StoredConnection connection(byte[] bytes) {
    try {
      ByteBuffer in = ByteBuffer.wrap(bytes);
      byte form = in.get();
      if (form == ENDED) {
        return new Ended();
      }
      long number = in.getLong();
      PodAddress pod = PodAddress.parse(string(in, in.getShort()));
      String who = string(in, in.remaining());
      return switch (form) {
        case RESERVED -> new Reserved(pod, who.isEmpty() ? null : who, number == OVERDUE);
        case OPEN -> new Open(pod, who, number == UNKNOWN_START ? null : number);
        default -> null;
      };
    } catch (BufferUnderflowException | IllegalArgumentException notOurs) {
      return null;
    }
  }

  private static String string(ByteBuffer in, int length) {
    if (length < 0 || length > in.remaining()) {
      throw new BufferUnderflowException();
    }
    String text =
        new String(in.array(), in.arrayOffset() + in.position(), length, StandardCharsets.UTF_8);
    in.position(in.position() + length);
    return text;
  }

  public static byte[] circuit(StoredCircuitBreaker circuit) {
    return ByteBuffer.allocate(1 + Integer.BYTES + Long.BYTES)
        .put(CIRCUIT)
        .putInt(circuit.opened())
        .putLong(circuit.openedMs())
        .array();
  }

  /**
   * Reads a stored circuit.
   *
   * @return null when the bytes are none
   */
  public static @Nullable StoredCircuitBreaker circuit(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    return bytes.length == 1 + Integer.BYTES + Long.BYTES && in.get() == CIRCUIT
        ? new StoredCircuitBreaker(in.getInt(), in.getLong())
        : null;
  }

  public static byte[] interval(long ms) {
    return ByteBuffer.allocate(1 + Long.BYTES).put(INTERVAL).putLong(ms).array();
  }

  /**
   * Reads a stored interval, in milliseconds.
   *
   * @return null when the bytes are none
   */
  public static @Nullable Long interval(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    return bytes.length == 1 + Long.BYTES && in.get() == INTERVAL ? in.getLong() : null;
  }

  /** As Kafka's own serializer of longs writes it, which is what older versions did. */
  public static byte[] bucket(long arrivalNanos) {
    return ByteBuffer.allocate(Long.BYTES).putLong(arrivalNanos).array();
  }

  /**
   * Reads the arrival time of a stored token bucket, nanoseconds since the epoch.
   *
   * @return null when the bytes are none
   */
  public static @Nullable Long bucket(byte[] bytes) {
    return bytes.length == Long.BYTES ? ByteBuffer.wrap(bytes).getLong() : null;
  }

  public static byte[] tally(Tally tally) {
    return ByteBuffer.allocate(2 * Long.BYTES)
        .putLong(tally.count())
        .putLong(tally.lastOffset())
        .array();
  }

  /** Reads a stored count; of nothing, and of bytes that are none, it is 0. */
  public static Tally tally(byte @Nullable [] bytes) {
    if (bytes == null || bytes.length != 2 * Long.BYTES) {
      return new Tally(0, -1);
    }
    ByteBuffer in = ByteBuffer.wrap(bytes);
    return new Tally(in.getLong(), in.getLong());
  }
}
