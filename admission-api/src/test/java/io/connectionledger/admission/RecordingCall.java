package io.connectionledger.admission;

import io.grpc.stub.ServerCallStreamObserver;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The server's side of one gRPC call, which the test can cancel as a client would. */
public final class RecordingCall<T> extends ServerCallStreamObserver<T> {

  public final List<T> responses = new ArrayList<>();
  public @Nullable Throwable error;
  volatile boolean completed;
  private Runnable onCancel = () -> {};
  private volatile boolean cancelled;

  public void cancel() {
    cancelled = true;
    onCancel.run();
  }

  public boolean isAnswered() {
    return completed;
  }

  public T onlyResponse() {
    if (responses.size() != 1 || !completed) {
      throw new AssertionError("expected one response and its end, got " + responses);
    }
    return responses.getFirst();
  }

  @Override
  public void onNext(T response) {
    responses.add(response);
  }

  @Override
  public void onError(Throwable failure) {
    error = failure;
  }

  @Override
  public void onCompleted() {
    completed = true;
  }

  @Override
  public boolean isCancelled() {
    return cancelled;
  }

  @Override
  public void setOnCancelHandler(Runnable handler) {
    onCancel = handler;
  }

  @Override
  public void setCompression(String compression) {}

  @Override
  public boolean isReady() {
    return true;
  }

  @Override
  public void setOnReadyHandler(Runnable handler) {}

  @Override
  public void disableAutoInboundFlowControl() {}

  @Override
  public void request(int count) {}

  @Override
  public void setMessageCompression(boolean enable) {}
}
