package io.connectionledger.controlplane;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;

/**
 * Puts a {@link DiscoveryStream} between each Envoy and the discovery server, and refuses what
 * {@link AskedNames} does not take. Thread-safe.
 */
final class NackInterceptor implements ServerInterceptor {

  private final Nacks nacks;
  private final AskedNames asked;

  NackInterceptor(Nacks nacks, AskedNames asked) {
    this.nacks = nacks;
    this.asked = asked;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    if (!asked.begin()) {
      call.close(
          refusal("this instance has as many streams of endpoints as it takes"), new Metadata());
      return new ServerCall.Listener<>() {};
    }
    DiscoveryStream stream = new DiscoveryStream(nacks);
    AskedNames.OfStream names = asked.new OfStream();
    Answers<Q, R> answers = new Answers<>(call, stream);
    return new SimpleForwardingServerCallListener<>(next.startCall(answers, headers)) {
      private boolean refused;

      @Override
      public void onMessage(Q message) {
        Q request = stream.received(message);
        if (!refused && names.takes(request)) {
          super.onMessage(request);
        } else if (!refused) {
          refused = true;
          answers.refuse("it asks for more names than this instance keeps");
          // So that the server forgets what it has.
          super.onCancel();
        }
      }

      @Override
      public void onHalfClose() {
        if (!refused) {
          super.onHalfClose();
        }
      }

      @Override
      public void onComplete() {
        names.close();
        super.onComplete();
      }

      @Override
      public void onCancel() {
        names.close();
        super.onCancel();
      }
    };
  }

  /** What goes out to one Envoy, until its stream is refused. Thread-safe. */
  private static final class Answers<Q, R> extends SimpleForwardingServerCall<Q, R> {
    private final DiscoveryStream stream;
    private boolean refused;

    Answers(ServerCall<Q, R> call, DiscoveryStream stream) {
      super(call);
      this.stream = stream;
    }

    @Override
    public synchronized void sendMessage(R message) {
      if (!refused) {
        stream.sent(message);
        super.sendMessage(message);
      }
    }

    @Override
    public synchronized void close(Status status, Metadata trailers) {
      if (!refused) {
        super.close(status, trailers);
      }
    }

    synchronized void refuse(String why) {
      super.close(refusal(why), new Metadata());
      refused = true;
    }
  }

  private static Status refusal(String why) {
    return Status.RESOURCE_EXHAUSTED.withDescription(why);
  }
}
