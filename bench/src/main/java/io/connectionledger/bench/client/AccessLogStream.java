package io.connectionledger.bench.client;

import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.service.accesslog.v3.AccessLogServiceGrpc;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsMessage;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One access-log stream that takes messages which are serialized already, so that the load costs
 * little beside what it loads. Waits when the other side does not keep up. For one thread.
 */
final class AccessLogStream extends ClientCall.Listener<byte[]> {

  private static final MethodDescriptor<byte[], byte[]> METHOD =
      AccessLogServiceGrpc.getStreamAccessLogsMethod().toBuilder(new Bytes(), new Bytes()).build();

  private final ClientCall<byte[], byte[]> call;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private @Nullable Status ended;

  private AccessLogStream(ClientCall<byte[], byte[]> call) {
    this.call = call;
  }

  static AccessLogStream open(ManagedChannel channel, String node) {
    AccessLogStream stream = new AccessLogStream(channel.newCall(METHOD, CallOptions.DEFAULT));
    stream.call.start(stream, new Metadata());
    stream.call.request(1);
    stream.send(
        StreamAccessLogsMessage.newBuilder()
            .setIdentifier(
                StreamAccessLogsMessage.Identifier.newBuilder()
                    .setNode(Node.newBuilder().setId(node))
                    .setLogName("bench"))
            .build()
            .toByteArray());
    return stream;
  }

  /** Sends when there is room. */
  void send(byte[] message) {
    lock.lock();
    try {
      while (!call.isReady() && ended == null) {
        changed.awaitUninterruptibly();
      }
      if (ended != null) {
        throw new IllegalStateException("the ledger ended the stream: " + ended);
      }
    } finally {
      lock.unlock();
    }
    call.sendMessage(message);
  }

  @Override
  public void onReady() {
    signal(null);
  }

  @Override
  public void onClose(Status status, Metadata trailers) {
    signal(status);
  }

  private void signal(@Nullable Status end) {
    lock.lock();
    try {
      ended = end;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {

    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try (stream) {
        return stream.readAllBytes();
      } catch (IOException broken) {
        throw new UncheckedIOException(broken);
      }
    }
  }
}
