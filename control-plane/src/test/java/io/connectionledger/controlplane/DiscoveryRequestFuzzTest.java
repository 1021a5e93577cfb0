package io.connectionledger.controlplane;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.testkit.PolicyFixtures;
import io.envoyproxy.controlplane.cache.Resources;
import io.envoyproxy.envoy.service.discovery.v3.AggregatedDiscoveryServiceGrpc;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.envoyproxy.envoy.service.endpoint.v3.EndpointDiscoveryServiceGrpc;
import io.grpc.BindableService;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerMethodDefinition;
import io.grpc.Status;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Whatever an Envoy asks for, and whatever it makes of what it was sent: it is answered once at
 * most, or its stream ends, and the next Envoy is answered.
 */
class DiscoveryRequestFuzzTest {

  private static final String TYPE = Resources.V3.ENDPOINT_TYPE_URL;

  private final EdsServer eds =
      new EdsServer(
          new SimpleMeterRegistry(),
          nack -> {
            if ((nack.envoy() + nack.version() + nack.pools() + nack.reason()).lines().count()
                > 1) {
              throw new IllegalStateException("more than one line: " + nack);
            }
          });

  @FuzzTest(maxDuration = "1m")
  void request(byte[] bytes) {
    DiscoveryRequest request;
    try {
      request = DiscoveryRequest.parseFrom(bytes);
    } catch (InvalidProtocolBufferException noMessage) {
      // gRPC has refused it before it comes to us.
      return;
    }
    DiscoveryRequest subscription =
        DiscoveryRequest.newBuilder().setTypeUrl(TYPE).addResourceNames("chat").build();
    ask(
        List.of(
            EndpointDiscoveryServiceGrpc.getStreamEndpointsMethod(),
            AggregatedDiscoveryServiceGrpc.getStreamAggregatedResourcesMethod()),
        request,
        subscription,
        last -> request.toBuilder().setTypeUrl(TYPE).setResponseNonce(last.getNonce()).build(),
        last ->
            subscription.toBuilder()
                .setVersionInfo(last.getVersionInfo())
                .setResponseNonce(last.getNonce())
                .build());
  }

  @FuzzTest(maxDuration = "1m")
  void deltaRequest(byte[] bytes) {
    DeltaDiscoveryRequest request;
    try {
      request = DeltaDiscoveryRequest.parseFrom(bytes);
    } catch (InvalidProtocolBufferException noMessage) {
      // gRPC has refused it before it comes to us.
      return;
    }
    DeltaDiscoveryRequest subscription =
        DeltaDiscoveryRequest.newBuilder()
            .setTypeUrl(TYPE)
            .addResourceNamesSubscribe("chat")
            .build();
    ask(
        List.of(
            EndpointDiscoveryServiceGrpc.getDeltaEndpointsMethod(),
            AggregatedDiscoveryServiceGrpc.getDeltaAggregatedResourcesMethod()),
        request,
        subscription,
        last -> request.toBuilder().setTypeUrl(TYPE).setResponseNonce(last.getNonce()).build(),
        last ->
            DeltaDiscoveryRequest.newBuilder()
                .setTypeUrl(TYPE)
                .setResponseNonce(last.getNonce())
                .build());
  }

  /**
   * Asks by each method before and after what is asked by honest Envoys.
   *
   * @param answer the request as the answer to what it was sent
   * @param acceptance of what the subscription was sent
   */
  private <Q extends Message, R extends Message> void ask(
      List<MethodDescriptor<Q, R>> methods,
      Q request,
      Q subscription,
      Function<R, Q> answer,
      Function<R, Q> acceptance) {
    for (MethodDescriptor<Q, R> method : methods) {
      update(1);
      Envoy<Q, R> fuzzed = new Envoy<>(method);
      fuzzed.send(request);
      fuzzed.send(subscription);
      fuzzed.send(request);
      R last = fuzzed.last;
      if (last != null) {
        fuzzed.send(answer.apply(last));
      }
      goOn(fuzzed, method, subscription, acceptance);
    }
  }

  /** A change reaches the others, too, and a new one is answered. */
  private <Q extends Message, R extends Message> void goOn(
      Envoy<Q, R> fuzzed,
      MethodDescriptor<Q, R> method,
      Q subscription,
      Function<R, Q> acceptance) {
    Envoy<Q, R> another = new Envoy<>(method);
    another.send(subscription);
    another.send(acceptance.apply(Objects.requireNonNull(another.last)));
    update(2);
    if (another.answers != 2) {
      throw new IllegalStateException("another Envoy got " + another.answers + " answers");
    }
    fuzzed.listener.onCancel();
    another.listener.onCancel();
    if (fuzzed.answers > fuzzed.requests + 1) {
      throw new IllegalStateException(
          fuzzed.answers + " answers to " + fuzzed.requests + " requests and a change");
    }
  }

  private void update(int pods) {
    List<Pod> all = new ArrayList<>();
    for (int i = 1; i <= pods; i++) {
      all.add(new Pod("pod-" + i, new PodAddress("10.0.0.1", i)));
    }
    List<PolicyRecord> policies = new ArrayList<>();
    for (String pool : List.of("chat", "games")) {
      policies.add(
          PolicyFixtures.record(
              PolicyFixtures.limited(pool, 1, 10, 2, PoolPolicy.OnOwnerLoss.SHARE, all)));
    }
    eds.update(policies);
  }

  /** One stream of the server, without the network below it. */
  private final class Envoy<Q, R> extends ServerCall<Q, R> {
    private final MethodDescriptor<Q, R> method;
    private final Listener<Q> listener;
    private int requests;
    private int answers;
    private @Nullable R last;
    private @Nullable Status end;

    @SuppressWarnings("unchecked") // the definition is found by the method's name
    Envoy(MethodDescriptor<Q, R> method) {
      this.method = method;
      BindableService service =
          EndpointDiscoveryServiceGrpc.SERVICE_NAME.equals(method.getServiceName())
              ? eds.service()
              : eds.overAds();
      ServerMethodDefinition<Q, R> definition =
          (ServerMethodDefinition<Q, R>)
              service.bindService().getMethod(method.getFullMethodName());
      listener = definition.getServerCallHandler().startCall(this, new Metadata());
      listener.onReady();
    }

    void send(Q request) {
      if (end == null) {
        requests++;
        listener.onMessage(request);
      }
    }

    @Override
    public void sendMessage(R message) {
      answers++;
      last = message;
    }

    @Override
    public void close(Status status, Metadata trailers) {
      end = status;
    }

    @Override
    public void request(int messages) {
      // All come as they are sent.
    }

    @Override
    public void sendHeaders(Metadata headers) {
      // They say nothing.
    }

    @Override
    public boolean isCancelled() {
      return false;
    }

    @Override
    public MethodDescriptor<Q, R> getMethodDescriptor() {
      return method;
    }
  }
}
