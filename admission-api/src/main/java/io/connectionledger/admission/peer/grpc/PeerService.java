package io.connectionledger.admission.peer.grpc;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.type.TypeReference;
import io.connectionledger.admission.check.CheckReply;
import io.connectionledger.admission.check.LocalChecks;
import io.connectionledger.admission.peer.LoanRequest;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.UnreadableRecordException;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RecordCodec;
import io.connectionledger.streams.Ledger;
import io.grpc.BindableService;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Function;

/**
 * Answers other instances about the pools that this one owns, and never asks a third. Decisions and
 * releases do not wait; queries run on the executor.
 */
public final class PeerService implements BindableService {

  private final LocalChecks checks;
  private final Ledger ledger;
  private final Ticker ticker;
  private final Executor queries;

  public PeerService(LocalChecks checks, Ledger ledger, Executor queries, Ticker ticker) {
    this.checks = checks;
    this.ticker = ticker;
    this.ledger = ledger;
    this.queries = queries;
  }

  @Override
  public ServerServiceDefinition bindService() {
    return ServerServiceDefinition.builder(PeerProtocol.SERVICE)
        .addMethod(PeerProtocol.DECIDE, ServerCalls.asyncUnaryCall(this::decide))
        .addMethod(PeerProtocol.RELEASE, ServerCalls.asyncUnaryCall(this::release))
        .addMethod(PeerProtocol.LEND, ServerCalls.asyncUnaryCall(this::lend))
        .addMethod(PeerProtocol.CONNECTIONS, query(ledger.queries()::connections))
        .addMethod(PeerProtocol.READINESS, query(ledger.queries()::readiness))
        .addMethod(PeerProtocol.REJECTIONS, query(ledger.queries()::rejections))
        .addMethod(PeerProtocol.REPORT, query(ledger.queries()::report))
        .addMethod(PeerProtocol.STANDBY, query(ledger.queries()::standby))
        .build();
  }

  private void decide(byte[] message, StreamObserver<byte[]> responses) {
    // gRPC gives every server method this kind of observer.
    ServerCallStreamObserver<byte[]> call = (ServerCallStreamObserver<byte[]>) responses;
    Decision.Rejected refusal =
        checks.decide(
            PeerCodec.decode(message),
            new PeerReply(call),
            call::setOnCancelHandler,
            ticker.nowNanos());
    if (refusal != null) {
      send(call, PeerProtocol.NOTHING);
    }
  }

  private void release(byte[] reservation, StreamObserver<byte[]> responses) {
    try {
      if (RecordCodec.decodeDecision(reservation) instanceof Decision.Allowed allowed) {
        ledger.decider().release(allowed);
      }
      send(responses, PeerProtocol.NOTHING);
    } catch (UnreadableRecordException unreadable) {
      responses.onError(
          Status.INVALID_ARGUMENT.withDescription(unreadable.getMessage()).asRuntimeException());
    }
  }

  private void lend(byte[] request, StreamObserver<byte[]> responses) {
    // What a borrower that has gone never hears of is not used, and expires.
    ((ServerCallStreamObserver<byte[]>) responses).setOnCancelHandler(() -> {});
    try {
      LoanRequest asked =
          PeerCodec.decode(request, new TypeReference<LoanRequest>() {})
              .orElseThrow(() -> new IOException("the request is empty"));
      checks.lend(asked, loan -> send(responses, PeerCodec.encode(loan)));
    } catch (IOException unreadable) {
      responses.onError(
          Status.INVALID_ARGUMENT.withDescription(unreadable.getMessage()).asRuntimeException());
    }
  }

  private ServerCallHandler<byte[], byte[]> query(Function<String, Optional<?>> ask) {
    return ServerCalls.asyncUnaryCall(
        (pool, responses) ->
            queries.execute(
                () -> send(responses, PeerCodec.encode(ask.apply(new String(pool, UTF_8))))));
  }

  private static void send(StreamObserver<byte[]> responses, byte[] response) {
    responses.onNext(response);
    responses.onCompleted();
  }

  private record PeerReply(StreamObserver<byte[]> responses) implements CheckReply {

    @Override
    public void allowed(Decision.Allowed decision) {
      send(responses, RecordCodec.encode(decision));
    }

    @Override
    public void rejected(Decision.Rejected decision) {
      send(responses, RecordCodec.encode(decision));
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
