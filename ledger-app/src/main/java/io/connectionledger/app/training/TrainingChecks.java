package io.connectionledger.app.training;

import com.google.protobuf.Value;
import io.connectionledger.model.PodAddress;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.service.auth.v3.AttributeContext;
import io.envoyproxy.envoy.service.auth.v3.AttributeContext.HttpRequest;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.grpc.Channel;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Checks as Envoy sends them, a few at a time. For one thread. */
final class TrainingChecks {

  private static final Logger LOGGER = LoggerFactory.getLogger(TrainingChecks.class);
  private static final int IN_FLIGHT = 32;
  private static final Map<String, String> HEADERS =
      Map.ofEntries(
          Map.entry(":authority", "chat.example.com"),
          Map.entry(":method", "GET"),
          Map.entry(":path", "/rooms/4711"),
          Map.entry(":scheme", "https"),
          Map.entry("connection", "Upgrade"),
          Map.entry("upgrade", "websocket"),
          Map.entry("sec-websocket-version", "13"),
          Map.entry("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
          Map.entry("origin", "https://chat.example.com"),
          Map.entry("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0)"),
          Map.entry("x-request-id", "6f9e6c5e-4d1c-4e0b-9a53-6c1d8f1b7a10"));

  private final AuthorizationGrpc.AuthorizationStub stub;
  private final Semaphore inFlight = new Semaphore(IN_FLIGHT);
  private final List<Admitted> admitted = new ArrayList<>();

  TrainingChecks(Channel channel) {
    stub = AuthorizationGrpc.newStub(channel);
  }

  /** Asks for a WebSocket in {@code pool}, as soon as few enough are asked. */
  void handshake(String pool) throws InterruptedException {
    ask(pool, HEADERS);
  }

  /** Asks for what is no WebSocket. */
  void plainRequest(String pool) throws InterruptedException {
    ask(pool, Map.of(":method", "GET", "accept", "*/*"));
  }

  private void ask(String pool, Map<String, String> headers) throws InterruptedException {
    inFlight.acquire();
    stub.check(request(pool, headers), new Answer());
  }

  /** Waits for all answers; those that were admitted since the last call. */
  List<Admitted> admitted() throws InterruptedException {
    inFlight.acquire(IN_FLIGHT);
    inFlight.release(IN_FLIGHT);
    synchronized (admitted) {
      List<Admitted> all = List.copyOf(admitted);
      admitted.clear();
      return all;
    }
  }

  private static CheckRequest request(String pool, Map<String, String> headers) {
    AttributeContext.Builder attributes =
        AttributeContext.newBuilder()
            .setSource(peer("192.0.2.7", 40_000))
            .setDestination(peer("10.1.0.1", 443))
            .putContextExtensions("pool", pool);
    attributes
        .getRequestBuilder()
        .setHttp(
            HttpRequest.newBuilder()
                .setId("8429127317862917421")
                .setMethod("GET")
                .setPath("/rooms/4711")
                .setHost("chat.example.com")
                .setScheme("https")
                .setProtocol("HTTP/1.1")
                .putAllHeaders(headers));
    return CheckRequest.newBuilder().setAttributes(attributes).build();
  }

  private static AttributeContext.Peer peer(String ip, int port) {
    return AttributeContext.Peer.newBuilder()
        .setAddress(
            Address.newBuilder()
                .setSocketAddress(SocketAddress.newBuilder().setAddress(ip).setPortValue(port)))
        .build();
  }

  private final class Answer implements StreamObserver<CheckResponse> {

    @Override
    public void onNext(CheckResponse response) {
      Map<String, Value> metadata = response.getDynamicMetadata().getFieldsMap();
      if (response.hasOkResponse() && metadata.containsKey("reservation")) {
        synchronized (admitted) {
          admitted.add(
              new Admitted(
                  text(metadata, "pool"),
                  PodAddress.parse(text(metadata, "pod")),
                  text(metadata, "reservation")));
        }
      }
    }

    private static String text(Map<String, Value> metadata, String name) {
      return metadata.getOrDefault(name, Value.getDefaultInstance()).getStringValue();
    }

    @Override
    public void onError(Throwable failure) {
      LOGGER.atWarn().setCause(failure).log("A check was not answered");
      inFlight.release();
    }

    @Override
    public void onCompleted() {
      inFlight.release();
    }
  }
}
