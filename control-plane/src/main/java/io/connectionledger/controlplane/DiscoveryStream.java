package io.connectionledger.controlplane;

import com.google.rpc.Status;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse;
import io.envoyproxy.envoy.service.discovery.v3.Resource;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * One stream of an Envoy, as the discovery server should see it: without refusals (NACKs).
 *
 * <p>A refusal names the version that Envoy still has. The server takes it for an Envoy that lacks
 * the latest one, and sends at once what was just refused, as fast as both can. So each refusal is
 * passed on as the acceptance of what was sent: the next response comes when the content changes.
 * In the plain protocol all later requests that answer the same response must be changed alike,
 * because they repeat Envoy's old version. Responses and requests may come on different threads.
 *
 * <p>The server keeps what a stream asks for, so that is bounded here: {@link AskedNames}.
 */
final class DiscoveryStream {

  /**
   * The latest response about a type of resource.
   *
   * @param pools what it has, where that is known
   */
  private record Sent(String nonce, String version, List<String> pools, boolean refused) {}

  private final Nacks nacks;
  private final Map<String, Sent> latest = new ConcurrentHashMap<>();

  /** Nonces of the delta protocol; the discovery server ends with an exception on any other. */
  private final Set<String> unanswered = ConcurrentHashMap.newKeySet();

  /** Envoys need to name themselves only once. */
  private volatile String envoy = "";

  DiscoveryStream(Nacks nacks) {
    this.nacks = nacks;
  }

  /** Remembers a message before it goes out. */
  void sent(Object message) {
    if (message instanceof DiscoveryResponse response) {
      latest.put(
          response.getTypeUrl(),
          new Sent(response.getNonce(), response.getVersionInfo(), List.of(), false));
    } else if (message instanceof DeltaDiscoveryResponse response) {
      List<String> pools = response.getResourcesList().stream().map(Resource::getName).toList();
      latest.put(
          response.getTypeUrl(),
          new Sent(response.getNonce(), response.getSystemVersionInfo(), pools, false));
      unanswered.add(response.getNonce());
    }
  }

  /** What the server should get for {@code message}; of the same type. */
  @SuppressWarnings("unchecked") // a message goes in and the same or a changed copy comes out
  <T> T received(T message) {
    if (message instanceof DiscoveryRequest request) {
      return (T) received(request);
    }
    return message instanceof DeltaDiscoveryRequest request ? (T) received(request) : message;
  }

  private DiscoveryRequest received(DiscoveryRequest received) {
    named(received.getNode().getId());
    // What is long and says nothing to the server, which keeps the request.
    DiscoveryRequest request = received.toBuilder().clearNode().build();
    Sent answered = answered(request.getTypeUrl(), request.getResponseNonce());
    if (request.hasErrorDetail()) {
      answered =
          refused(
              request.getTypeUrl(),
              answered,
              request.getResourceNamesList(),
              request.getErrorDetail());
    }
    return answered == null || !answered.refused()
        ? request
        : request.toBuilder().clearErrorDetail().setVersionInfo(answered.version()).build();
  }

  private DeltaDiscoveryRequest received(DeltaDiscoveryRequest received) {
    named(received.getNode().getId());
    DeltaDiscoveryRequest request = received.toBuilder().clearNode().build();
    String nonce = request.getResponseNonce();
    boolean answers = unanswered.remove(nonce);
    if (!request.hasErrorDetail()) {
      return answers || nonce.isEmpty()
          ? request
          : request.toBuilder().clearResponseNonce().build();
    }
    Sent answered = answers ? answered(request.getTypeUrl(), nonce) : null;
    Collection<String> pools = answered == null ? List.of() : answered.pools();
    answered = refused(request.getTypeUrl(), answered, pools, request.getErrorDetail());
    return answered == null ? request : request.toBuilder().clearErrorDetail().build();
  }

  private void named(String id) {
    if (!id.isEmpty()) {
      envoy = id;
    }
  }

  /** Null when it is not the latest: the server knows by itself to ignore such an answer. */
  private @Nullable Sent answered(String type, String nonce) {
    Sent sent = latest.get(type);
    return sent != null && sent.nonce().equals(nonce) ? sent : null;
  }

  private @Nullable Sent refused(
      String type, @Nullable Sent answered, Collection<String> pools, Status error) {
    String version = answered == null ? "" : answered.version();
    nacks.add(Nack.of(envoy, version, pools, error.getMessage()));
    if (answered == null) {
      return null;
    }
    Sent refused = new Sent(answered.nonce(), answered.version(), answered.pools(), true);
    latest.replace(type, answered, refused);
    return refused;
  }
}
