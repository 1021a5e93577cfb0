package io.connectionledger.admission.peer.grpc;

import io.connectionledger.admission.check.CheckReply;
import io.connectionledger.admission.check.LocalChecks;
import io.connectionledger.admission.peer.LoanRequest;
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
import io.connectionledger.model.Ticker;
import io.connectionledger.model.UnreadableRecordException;
import io.connectionledger.model.event.Decision;
import io.connectionledger.streams.Ledger;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.function.Function;

/**
 * Answers other instances about the pools that this one owns, and never asks a third. Decisions and
 * releases do not wait; queries run on the executor.
 */
public final class PeerService extends PeerGrpc.PeerImplBase {

  /** Queries at once; each may hold all that there is to say of a pool. */
  static final int MAX_QUERIES = 64;

  private final Semaphore places = new Semaphore(MAX_QUERIES);
  private final LocalChecks checks;
  private final Ledger ledger;
  private final Executor queries;
  private final Ticker ticker;

  public PeerService(LocalChecks checks, Ledger ledger, Executor queries, Ticker ticker) {
    this.checks = checks;
    this.ledger = ledger;
    this.queries = queries;
    this.ticker = ticker;
  }

  @Override
  public void decide(DecideRequest request, StreamObserver<DecideResponse> responses) {
    // gRPC gives every server method this kind of observer.
    ServerCallStreamObserver<DecideResponse> call =
        (ServerCallStreamObserver<DecideResponse>) responses;
    Question question =
        new Question(
            request.getPool(),
            request.hasKey() ? request.getKey() : null,
            request.hasListener() ? request.getListener() : null);
    Decision.Rejected refusal =
        checks.decide(question, new PeerReply(call), call::setOnCancelHandler, ticker.nowNanos());
    if (refusal != null) {
      send(call, DecideResponse.getDefaultInstance());
    }
  }

  @Override
  public void release(ReleaseRequest request, StreamObserver<ReleaseResponse> responses) {
    try {
      if (PeerMessages.decision(request.getDecision()) instanceof Decision.Allowed allowed) {
        ledger.decider().release(allowed);
      }
      send(responses, ReleaseResponse.getDefaultInstance());
    } catch (UnreadableRecordException unreadable) {
      responses.onError(
          Status.INVALID_ARGUMENT.withDescription(unreadable.getMessage()).asRuntimeException());
    }
  }

  @Override
  public void lend(LendRequest request, StreamObserver<LendResponse> responses) {
    // What a borrower that has gone never hears of is not used, and expires.
    ((ServerCallStreamObserver<LendResponse>) responses).setOnCancelHandler(() -> {});
    checks.lend(
        new LoanRequest(request.getPool(), request.getBorrower(), request.getHeldList()),
        loan -> send(responses, PeerMessages.lent(loan)));
  }

  @Override
  public void connections(PoolRequest request, StreamObserver<PoolResponse> responses) {
    answer(request, responses, ledger.queries()::connections);
  }

  @Override
  public void readiness(PoolRequest request, StreamObserver<PoolResponse> responses) {
    answer(request, responses, ledger.queries()::readiness);
  }

  @Override
  public void rejections(PoolRequest request, StreamObserver<PoolResponse> responses) {
    answer(request, responses, ledger.queries()::rejections);
  }

  @Override
  public void history(PoolRequest request, StreamObserver<PoolResponse> responses) {
    answer(request, responses, ledger.queries()::history);
  }

  @Override
  public void report(PoolRequest request, StreamObserver<PoolResponse> responses) {
    answer(request, responses, ledger.queries()::report);
  }

  @Override
  public void standby(PoolRequest request, StreamObserver<PoolResponse> responses) {
    answer(request, responses, ledger.queries()::standby);
  }

  private void answer(
      PoolRequest request,
      StreamObserver<PoolResponse> responses,
      Function<String, Optional<?>> query) {
    if (!places.tryAcquire()) {
      responses.onError(
          Status.RESOURCE_EXHAUSTED
              .withDescription(MAX_QUERIES + " queries of other instances are underway")
              .asRuntimeException());
      return;
    }
    queries.execute(
        () -> {
          try {
            send(responses, PeerMessages.answer(query.apply(request.getPool())));
          } finally {
            places.release();
          }
        });
  }

  private static <T> void send(StreamObserver<T> responses, T response) {
    responses.onNext(response);
    responses.onCompleted();
  }

  private record PeerReply(StreamObserver<DecideResponse> responses) implements CheckReply {

    @Override
    public void allowed(Decision.Allowed decision) {
      send(decision);
    }

    @Override
    public void rejected(Decision.Rejected decision) {
      send(decision);
    }

    private void send(Decision decision) {
      PeerService.send(
          responses, DecideResponse.newBuilder().setDecision(PeerMessages.bytes(decision)).build());
    }

    @Override
    public void unowned(String pool) {
      throw new IllegalStateException("whoever asked decides what is answered without an owner");
    }

    @Override
    public boolean isLast() {
      return false;
    }
  }
}
