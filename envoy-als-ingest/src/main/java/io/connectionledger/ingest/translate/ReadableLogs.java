package io.connectionledger.ingest.translate;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.WireFormat;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsMessage;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.Status;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads access-log messages, also those with a string that is not UTF-8: what a client sends may
 * reach the log as it is, such as its x-request-id with {@code preserve_external_request_id}.
 * Protobuf refuses a whole message for it, and with it the heartbeats of everybody else's
 * connections; here each bad byte of such a string becomes U+FFFD, and all else stays.
 */
public final class ReadableLogs implements Marshaller<ReadableLogs.Received> {

  public static final ReadableLogs MARSHALLER = new ReadableLogs();

  /** Deeper than this nothing is mended: protobuf does not read it either. */
  private static final int MAX_DEPTH = 100;

  private ReadableLogs() {}

  /**
   * A message.
   *
   * @param mended whether a string in it was not UTF-8
   */
  public record Received(StreamAccessLogsMessage message, boolean mended) {}

  @Override
  public InputStream stream(Received received) {
    return received.message().toByteString().newInput();
  }

  @Override
  public Received parse(InputStream in) {
    try {
      byte[] bytes = in.readAllBytes();
      try {
        return new Received(StreamAccessLogsMessage.parseFrom(bytes), false);
      } catch (InvalidProtocolBufferException unreadable) {
        return new Received(mended(bytes, unreadable), true);
      }
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  /** Whether a string of the message, or of one in it, has the character of a bad byte. */
  public static boolean isMended(Message message) {
    return message.getAllFields().values().stream().anyMatch(ReadableLogs::hasBadByte);
  }

  private static boolean hasBadByte(Object value) {
    return switch (value) {
      case String text -> text.indexOf('\uFFFD') >= 0;
      case Message message -> isMended(message);
      case List<?> values -> values.stream().anyMatch(ReadableLogs::hasBadByte);
      default -> false;
    };
  }

  private static StreamAccessLogsMessage mended(
      byte[] bytes, InvalidProtocolBufferException unreadable) {
    try {
      return StreamAccessLogsMessage.parseFrom(
          mended(ByteString.copyFrom(bytes), StreamAccessLogsMessage.getDescriptor(), 0));
    } catch (IOException noProtobuf) {
      unreadable.addSuppressed(noProtobuf);
      throw Status.INTERNAL
          .withDescription("a message of the access log is no StreamAccessLogsMessage")
          .withCause(unreadable)
          .asRuntimeException();
    }
  }

  private static ByteString mended(ByteString bytes, Descriptor type, int depth)
      throws IOException {
    CodedInputStream in = bytes.newCodedInput();
    ByteString.Output mended = ByteString.newOutput(bytes.size());
    CodedOutputStream out = CodedOutputStream.newInstance(mended);
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      out.writeUInt32NoTag(tag);
      switch (WireFormat.getTagWireType(tag)) {
        case WireFormat.WIRETYPE_LENGTH_DELIMITED ->
            out.writeBytesNoTag(
                mended(
                    in.readBytes(),
                    type.findFieldByNumber(WireFormat.getTagFieldNumber(tag)),
                    depth));
        case WireFormat.WIRETYPE_VARINT -> out.writeUInt64NoTag(in.readUInt64());
        case WireFormat.WIRETYPE_FIXED64 -> out.writeFixed64NoTag(in.readFixed64());
        case WireFormat.WIRETYPE_FIXED32 -> out.writeFixed32NoTag(in.readFixed32());
        default -> throw new InvalidProtocolBufferException("a group, which Envoy does not use");
      }
    }
    out.flush();
    return mended.toByteString();
  }

  private static ByteString mended(ByteString value, @Nullable FieldDescriptor field, int depth)
      throws IOException {
    if (field == null || depth >= MAX_DEPTH) {
      return value;
    }
    return switch (field.getType()) {
      case STRING -> value.isValidUtf8() ? value : ByteString.copyFromUtf8(value.toStringUtf8());
      case MESSAGE -> mended(value, field.getMessageType(), depth + 1);
      default -> value;
    };
  }
}
