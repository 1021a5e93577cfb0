package io.connectionledger.bench.client;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.rpc.Status;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.envoyproxy.envoy.service.auth.v3.OkHttpResponse;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/**
 * The fastest ext_authz server that grpc-java makes: it reads each check and gives the same answer,
 * of the size of the ledger's, from the event loop. What it can do is what the ledger is held to.
 */
public final class DoNothingServer extends AuthorizationGrpc.AuthorizationImplBase {

  private static final CheckResponse ANSWER =
      CheckResponse.newBuilder()
          .setStatus(Status.getDefaultInstance())
          .setOkResponse(
              OkHttpResponse.newBuilder()
                  .addHeaders(
                      HeaderValueOption.newBuilder()
                          .setHeader(
                              HeaderValue.newBuilder()
                                  .setKey("x-ledger-pod")
                                  .setValue("MTAuMC4wLjE6ODA4MA=="))
                          .setAppendAction(
                              HeaderValueOption.HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD)))
          .setDynamicMetadata(
              Struct.newBuilder()
                  .putFields("pod", text("10.0.0.1:8080"))
                  .putFields("reservation", text("AZ5yZqoAQ0d3NnRE"))
                  .putFields("pool", text("pool-0")))
          .build();

  private DoNothingServer() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    Server server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .directExecutor()
            .addService(new DoNothingServer())
            .build()
            .start();
    System.out.println(server.getPort());
    server.awaitTermination();
  }

  private static Value text(String value) {
    return Value.newBuilder().setStringValue(value).build();
  }

  @Override
  public void check(CheckRequest request, StreamObserver<CheckResponse> responses) {
    responses.onNext(ANSWER);
    responses.onCompleted();
  }
}
