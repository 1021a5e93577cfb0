package io.connectionledger.admission.authz;

import io.connectionledger.admission.check.Admission;
import io.connectionledger.admission.check.CheckReply;
import io.connectionledger.admission.check.Client;
import io.connectionledger.model.event.Decision;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.service.auth.v3.AttributeContext;
import io.envoyproxy.envoy.service.auth.v3.AttributeContext.HttpRequest;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import org.jspecify.annotations.Nullable;

/**
 * Envoy's ext_authz over gRPC: translates checks into questions and decisions into answers. It
 * never waits, and may therefore run on the server's event loop ({@code directExecutor}).
 */
public final class CheckService extends AuthorizationGrpc.AuthorizationImplBase {

  private final Admission admission;
  private final CheckResponses answers = new CheckResponses();

  public CheckService(Admission admission) {
    this.admission = admission;
  }

  @Override
  public void check(CheckRequest request, StreamObserver<CheckResponse> responses) {
    AttributeContext attributes = request.getAttributes();
    if (!attributes.getRequest().hasHttp()) {
      responses.onError(
          Status.INVALID_ARGUMENT
              .withDescription(
                  "attributes.request.http is missing: only HTTP requests can be checked")
              .asRuntimeException());
      return;
    }
    if (!WebSocketUpgrade.isAskedBy(attributes.getRequest().getHttp())) {
      send(responses, CheckResponses.PASS);
      return;
    }
    // gRPC gives every server method this kind of observer.
    ServerCallStreamObserver<CheckResponse> call =
        (ServerCallStreamObserver<CheckResponse>) responses;
    admission.check(
        poolOf(attributes),
        new GrpcClient(attributes),
        new GrpcReply(call, answers),
        call::setOnCancelHandler);
  }

  private String poolOf(AttributeContext attributes) {
    String named = attributes.getContextExtensionsMap().get("pool");
    HttpRequest request = attributes.getRequest().getHttp();
    return named != null ? named : admission.poolOf(request.getHost(), request.getPath());
  }

  private static void send(StreamObserver<CheckResponse> responses, CheckResponse response) {
    responses.onNext(response);
    responses.onCompleted();
  }

  private record GrpcClient(AttributeContext attributes) implements Client {

    @Override
    public @Nullable String header(String name) {
      return CheckHeaders.get(attributes.getRequest().getHttp(), name);
    }

    @Override
    public @Nullable String sourceAddress() {
      Address address = attributes.getSource().getAddress();
      return address.hasSocketAddress() ? address.getSocketAddress().getAddress() : null;
    }

    @Override
    public @Nullable String listener() {
      Address address = attributes.getDestination().getAddress();
      return address.hasSocketAddress()
          ? address.getSocketAddress().getAddress()
              + ':'
              + address.getSocketAddress().getPortValue()
          : null;
    }
  }

  private record GrpcReply(StreamObserver<CheckResponse> responses, CheckResponses answers)
      implements CheckReply {

    @Override
    public void allowed(Decision.Allowed decision) {
      send(responses, answers.allowed(decision));
    }

    @Override
    public void rejected(Decision.Rejected decision) {
      send(responses, answers.rejected(decision));
    }

    @Override
    public void unowned(String pool) {
      send(responses, answers.unowned(pool));
    }
  }
}
