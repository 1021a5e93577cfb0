package io.connectionledger.controlplane;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.Status;
import io.envoyproxy.controlplane.cache.Resources;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.service.discovery.v3.AggregatedDiscoveryServiceGrpc;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse;
import io.envoyproxy.envoy.service.discovery.v3.Resource;
import io.envoyproxy.envoy.service.endpoint.v3.EndpointDiscoveryServiceGrpc;
import io.grpc.Channel;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/**
 * An Envoy's side of one stream of endpoints: it answers every response as Envoy does, names itself
 * in the first request only, and accepts or refuses as it is told.
 */
abstract class ScriptedXdsClient {

  static final String REASON = "malformed IP address:\n 127.0.0.04";

  /** The pools in each response. */
  final List<List<String>> responses = new CopyOnWriteArrayList<>();

  volatile boolean refusing;

  /** Asks for these, too. */
  abstract void subscribe(String... pools);

  /** The stream ends as when Envoy's process does. */
  abstract void close();

  static Status error() {
    return Status.newBuilder().setCode(13).setMessage(REASON).build();
  }

  static Node node(String id) {
    return Node.newBuilder().setId(id).build();
  }

  /** All resources in each response. */
  static final class Plain extends ScriptedXdsClient implements StreamObserver<DiscoveryResponse> {
    private final StreamObserver<DiscoveryRequest> requests;
    private final List<String> names = new ArrayList<>();
    private DiscoveryRequest last;

    private Plain(
        String node,
        Function<StreamObserver<DiscoveryResponse>, StreamObserver<DiscoveryRequest>> call) {
      last =
          DiscoveryRequest.newBuilder()
              .setNode(node(node))
              .setTypeUrl(Resources.V3.ENDPOINT_TYPE_URL)
              .build();
      requests = call.apply(this);
    }

    /** On a stream of EDS. */
    static Plain overEds(Channel channel, String node) {
      return new Plain(node, EndpointDiscoveryServiceGrpc.newStub(channel)::streamEndpoints);
    }

    /** On a stream of ADS that clusters were asked for first. */
    static Plain overAds(Channel channel, String node) {
      Plain envoy =
          new Plain(
              node, AggregatedDiscoveryServiceGrpc.newStub(channel)::streamAggregatedResources);
      envoy.requests.onNext(
          envoy.last.toBuilder().setTypeUrl(Resources.V3.CLUSTER_TYPE_URL).build());
      envoy.last = envoy.last.toBuilder().clearNode().build();
      return envoy;
    }

    @Override
    synchronized void subscribe(String... pools) {
      names.addAll(Arrays.asList(pools));
      send(last.toBuilder().clearErrorDetail());
    }

    private void send(DiscoveryRequest.Builder request) {
      last = request.clearResourceNames().addAllResourceNames(names).build();
      requests.onNext(last);
      last = last.toBuilder().clearNode().build();
    }

    @Override
    public synchronized void onNext(DiscoveryResponse response) {
      responses.add(
          response.getResourcesList().stream()
              .map(
                  any -> {
                    try {
                      return any.unpack(ClusterLoadAssignment.class).getClusterName();
                    } catch (InvalidProtocolBufferException foreign) {
                      throw new IllegalArgumentException(foreign);
                    }
                  })
              .toList());
      DiscoveryRequest.Builder answer =
          last.toBuilder().clearErrorDetail().setResponseNonce(response.getNonce());
      send(
          refusing
              ? answer.setErrorDetail(error())
              : answer.setVersionInfo(response.getVersionInfo()));
    }

    @Override
    public void onError(Throwable failure) {
      // The server is gone, or the test has closed the stream.
    }

    @Override
    public void onCompleted() {
      // As above.
    }

    @Override
    void close() {
      requests.onCompleted();
    }
  }

  /** Only what has changed in each response. */
  static final class Delta extends ScriptedXdsClient
      implements StreamObserver<DeltaDiscoveryResponse> {
    private final StreamObserver<DeltaDiscoveryRequest> requests;
    private final DeltaDiscoveryRequest empty =
        DeltaDiscoveryRequest.newBuilder().setTypeUrl(Resources.V3.ENDPOINT_TYPE_URL).build();
    private DeltaDiscoveryRequest.Builder first;

    private Delta(
        String node,
        Function<StreamObserver<DeltaDiscoveryResponse>, StreamObserver<DeltaDiscoveryRequest>>
            call) {
      first = empty.toBuilder().setNode(node(node));
      requests = call.apply(this);
    }

    /** On a stream of EDS. */
    static Delta overEds(Channel channel, String node) {
      return new Delta(node, EndpointDiscoveryServiceGrpc.newStub(channel)::deltaEndpoints);
    }

    /** On a stream of ADS that clusters were asked for first. */
    static Delta overAds(Channel channel, String node) {
      Delta envoy =
          new Delta(
              node, AggregatedDiscoveryServiceGrpc.newStub(channel)::deltaAggregatedResources);
      envoy.requests.onNext(envoy.first.setTypeUrl(Resources.V3.CLUSTER_TYPE_URL).build());
      envoy.first = envoy.empty.toBuilder();
      return envoy;
    }

    @Override
    synchronized void subscribe(String... pools) {
      requests.onNext(first.addAllResourceNamesSubscribe(Arrays.asList(pools)).build());
      first = empty.toBuilder();
    }

    @Override
    public synchronized void onNext(DeltaDiscoveryResponse response) {
      responses.add(response.getResourcesList().stream().map(Resource::getName).toList());
      DeltaDiscoveryRequest.Builder answer =
          empty.toBuilder().setResponseNonce(response.getNonce());
      requests.onNext((refusing ? answer.setErrorDetail(error()) : answer).build());
    }

    @Override
    public void onError(Throwable failure) {
      // The server is gone, or the test has closed the stream.
    }

    @Override
    public void onCompleted() {
      // As above.
    }

    @Override
    void close() {
      requests.onCompleted();
    }
  }
}
