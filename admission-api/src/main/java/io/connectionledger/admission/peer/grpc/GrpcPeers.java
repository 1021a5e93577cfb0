package io.connectionledger.admission.peer.grpc;

import com.fasterxml.jackson.core.type.TypeReference;
import io.connectionledger.admission.peer.LoanRequest;
import io.connectionledger.admission.peer.Peers;
import io.connectionledger.admission.peer.Question;
import io.connectionledger.admission.peer.proto.DecideRequest;
import io.connectionledger.admission.peer.proto.DecideResponse;
import io.connectionledger.admission.peer.proto.LendRequest;
import io.connectionledger.admission.peer.proto.LendResponse;
import io.connectionledger.admission.peer.proto.PeerGrpc;
import io.connectionledger.admission.peer.proto.PoolRequest;
import io.connectionledger.admission.peer.proto.PoolResponse;
import io.connectionledger.admission.peer.proto.ReleaseRequest;
import io.connectionledger.admission.peer.proto.ReleaseResponse;
import io.connectionledger.model.LogRateLimiter;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.UnreadableRecordException;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.Loan;
import io.grpc.CallOptions;
import io.grpc.ChannelCredentials;
import io.grpc.ConnectivityState;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@link Peers} over one lasting connection to each. Thread-safe. */
public final class GrpcPeers implements Peers, AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(GrpcPeers.class);

  /** Checks that wait for an owner; what is more is answered without one. */
  static final int MAX_WAITING = 10_000;

  /** More than everything about a pool of ten thousand pods. */
  static final int MAX_ANSWER_BYTES = 32 << 20;

  /**
   * More than a decision, or all that one borrower is lent: these are read on the event loop, which
   * the checks wait for.
   */
  static final int MAX_PROMPT_ANSWER_BYTES = 64 << 10;

  private static final Duration MOMENT = Duration.ofMillis(20);
  private static final Duration RELEASE_TIMEOUT = Duration.ofSeconds(1);
  private static final Duration BORROW_TIMEOUT = Duration.ofSeconds(1);
  private static final Duration QUERY_TIMEOUT = Duration.ofSeconds(2);

  private final ChannelCredentials credentials;
  private final LogRateLimiter gate;
  private final PeerChannels channels;
  private final AtomicInteger waiting = new AtomicInteger();
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("waiting-checks").daemon().factory());

  /**
   * Knows nobody yet.
   *
   * @param credentials with what the others are called
   */
  public GrpcPeers(ChannelCredentials credentials, Ticker ticker) {
    this.credentials = credentials;
    this.channels = new PeerChannels(this::connect, ticker);
    this.gate = new LogRateLimiter(ticker, Duration.ofSeconds(10));
  }

  @Override
  public void decide(String address, Question question, long timeoutNanos, Answer answer) {
    DecideRequest.Builder request = DecideRequest.newBuilder().setPool(question.pool());
    if (question.key() != null) {
      request.setKey(question.key());
    }
    if (question.listener() != null) {
      request.setListener(question.listener());
    }
    ask(
        address,
        timeoutNanos,
        (peer, observer) -> peer.decide(request.build(), observer),
        new Observer<DecideResponse>() {
          private boolean answered;

          @Override
          public void onNext(DecideResponse response) {
            answered = true;
            decided(address, response, answer);
          }

          @Override
          public void onError(Throwable failure) {
            if (answered) {
              return;
            }
            warn(address, failure);
            if (Status.fromThrowable(failure).getCode() == Status.Code.DEADLINE_EXCEEDED) {
              answer.late();
            } else {
              answer.unreachable();
            }
          }
        });
  }

  private void decided(String address, DecideResponse response, Answer answer) {
    if (!response.hasDecision()) {
      answer.disowned();
      return;
    }
    try {
      answer.decided(PeerMessages.decision(response.getDecision()));
    } catch (UnreadableRecordException unreadable) {
      warn(address, unreadable);
      answer.unreachable();
    }
  }

  @Override
  public void release(String address, Decision.Allowed reservation) {
    ReleaseRequest request =
        ReleaseRequest.newBuilder().setDecision(PeerMessages.bytes(reservation)).build();
    ask(
        address,
        RELEASE_TIMEOUT.toNanos(),
        (peer, observer) -> peer.release(request, observer),
        new Observer<ReleaseResponse>() {
          @Override
          public void onNext(ReleaseResponse done) {
            // Nothing to do with it.
          }

          @Override
          public void onError(Throwable failure) {
            warn(address, failure);
          }
        });
  }

  @Override
  public void borrow(String address, LoanRequest request, Consumer<Loan> lent) {
    LendRequest message =
        LendRequest.newBuilder()
            .setPool(request.pool())
            .setBorrower(request.borrower())
            .addAllHeld(request.held())
            .build();
    ask(
        address,
        BORROW_TIMEOUT.toNanos(),
        (peer, observer) -> peer.lend(message, observer),
        new Observer<LendResponse>() {
          @Override
          public void onNext(LendResponse response) {
            try {
              PeerMessages.loan(response).ifPresent(lent);
            } catch (UnreadableRecordException unreadable) {
              warn(address, unreadable);
            }
          }

          @Override
          public void onError(Throwable failure) {
            warn(address, failure);
          }
        });
  }

  /** Asks another instance, and waits some seconds at most; empty when it does not know either. */
  <T> Optional<T> query(
      String address,
      MethodDescriptor<PoolRequest, PoolResponse> method,
      String pool,
      TypeReference<T> type) {
    try {
      return PeerMessages.answer(
          ClientCalls.blockingUnaryCall(
              channel(address),
              method,
              CallOptions.DEFAULT.withDeadlineAfter(
                  QUERY_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS),
              PoolRequest.newBuilder().setPool(pool).build()),
          type);
    } catch (StatusRuntimeException | IOException failure) {
      warn(address, failure);
      return Optional.empty();
    }
  }

  private <T> void ask(
      String address,
      long timeoutNanos,
      BiConsumer<PeerGrpc.PeerStub, Observer<T>> call,
      Observer<T> observer) {
    // Not in the context of the check that it is made for: that ends with its answer, or when its
    // caller leaves, and neither says anything about the other instance.
    Context.ROOT.run(
        () ->
            call.accept(
                PeerGrpc.newStub(channel(address))
                    .withMaxInboundMessageSize(MAX_PROMPT_ANSWER_BYTES)
                    .withDeadlineAfter(timeoutNanos, TimeUnit.NANOSECONDS),
                observer));
  }

  private ManagedChannel channel(String address) {
    ManagedChannel channel = channels.of(address);
    if (channel.getState(false) == ConnectivityState.TRANSIENT_FAILURE) {
      // Only who was just heard in the log is called: it is there again, whatever was before.
      channel.resetConnectBackoff();
    }
    return channel;
  }

  private ManagedChannel connect(String address) {
    return NettyChannelBuilder.forTarget("dns:///" + address, credentials)
        .directExecutor()
        .keepAliveTime(10, TimeUnit.SECONDS)
        .keepAliveTimeout(2, TimeUnit.SECONDS)
        .maxInboundMessageSize(MAX_ANSWER_BYTES)
        .build();
  }

  private void warn(String address, Throwable failure) {
    if (gate.passes()) {
      LOGGER
          .atWarn()
          .addKeyValue("address", address)
          .addKeyValue("failure", failure.toString())
          .log("Another instance does not answer");
    }
  }

  @Override
  public boolean later(Runnable check) {
    if (waiting.incrementAndGet() > MAX_WAITING || timer.isShutdown()) {
      waiting.decrementAndGet();
      return false;
    }
    var unused =
        timer.schedule(
            () -> {
              waiting.decrementAndGet();
              check.run();
            },
            MOMENT.toMillis(),
            TimeUnit.MILLISECONDS);
    return true;
  }

  @Override
  public void close() {
    timer.shutdownNow();
    channels.close();
  }

  private abstract static class Observer<T> implements StreamObserver<T> {

    @Override
    public void onCompleted() {
      // The one message has said everything.
    }
  }
}
