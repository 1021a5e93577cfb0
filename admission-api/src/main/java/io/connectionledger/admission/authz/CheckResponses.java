package io.connectionledger.admission.authz;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.rpc.Status;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.PoolPolicy;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.envoyproxy.envoy.service.auth.v3.DeniedHttpResponse;
import io.envoyproxy.envoy.service.auth.v3.OkHttpResponse;
import io.envoyproxy.envoy.type.v3.HttpStatus;
import io.envoyproxy.envoy.type.v3.StatusCode;
import io.grpc.Status.Code;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * Makes Envoy's ext_authz response of each decision. What does not change from one check to the
 * next is built once; the caches are bounded, and start afresh when pods and pools have changed so
 * often that they are full. Thread-safe.
 */
final class CheckResponses {

  /** Lets the request through untouched: no header, no metadata. */
  static final CheckResponse PASS =
      CheckResponse.newBuilder()
          .setStatus(Status.newBuilder().setCode(Code.OK.value()))
          .setOkResponse(OkHttpResponse.getDefaultInstance())
          .build();

  static final String POD_HEADER = "x-ledger-pod";

  /** The same in plain text, for what overrides Envoy's choice of an endpoint by it. */
  static final String ENDPOINT_HEADER = "x-ledger-endpoint";

  /** Of every answer: what {@code GET /v1/decisions/{id}} explains. */
  static final String DECISION_HEADER = "x-ledger-decision";

  private static final String DECISION = "decision";

  private static final int MAX_CACHED = 16_384;
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final Map<PodAddress, PodAnswer> pods = new ConcurrentHashMap<>();
  private final Map<String, Value> pools = new ConcurrentHashMap<>();
  private final Map<Rejection, CheckResponse> rejections = new ConcurrentHashMap<>();

  /** In shadow mode: no header, so that Envoy's own load balancer chooses the pod. */
  CheckResponse allowed(Decision.Allowed decision) {
    Value id = text(decision.id());
    HeaderValueOption told = header(DECISION_HEADER, decision.id());
    Struct.Builder metadata =
        Struct.newBuilder()
            .putFields("reservation", id)
            .putFields(DECISION, id)
            .putFields("pool", cached(pools, decision.pool(), CheckResponses::text));
    if (decision.isShadow()) {
      return passing(told, metadata);
    }
    PodAnswer pod = cached(pods, decision.pod(), PodAnswer::of);
    return CheckResponse.newBuilder()
        .setStatus(PASS.getStatus())
        .setOkResponse(pod.response.toBuilder().addResponseHeadersToAdd(told))
        .setDynamicMetadata(metadata.putFields("pod", pod.address))
        .build();
  }

  /** Without a reservation, so that the connection is adopted when Envoy's log tells of it. */
  CheckResponse unowned(String pool) {
    return PASS.toBuilder()
        .setDynamicMetadata(
            Struct.newBuilder().putFields("pool", cached(pools, pool, CheckResponses::text)))
        .build();
  }

  CheckResponse rejected(Decision.Rejected decision) {
    if (decision.reason() == RejectionReason.UNKNOWN_POOL) {
      String name = PoolPolicy.isValidName(decision.pool()) ? decision.pool() : "";
      return identified(
          build(new Rejection(name, decision.reason(), decision.retryAfterSeconds())), decision);
    }
    if (decision.isShadow()) {
      return passing(
          header(DECISION_HEADER, decision.id()),
          reason(decision.pool(), decision.reason()).toBuilder()
              .putFields(DECISION, text(decision.id())));
    }
    return identified(
        cached(
            rejections,
            new Rejection(decision.pool(), decision.reason(), decision.retryAfterSeconds()),
            CheckResponses::build),
        decision);
  }

  private static CheckResponse identified(CheckResponse common, Decision.Rejected decision) {
    CheckResponse.Builder answer = common.toBuilder();
    answer.getDeniedResponseBuilder().addHeaders(header(DECISION_HEADER, decision.id()));
    answer.getDynamicMetadataBuilder().putFields(DECISION, text(decision.id()));
    return answer.build();
  }

  /** The request goes on as it came, and the decision is known afterwards. */
  private static CheckResponse passing(HeaderValueOption told, Struct.Builder metadata) {
    return PASS.toBuilder()
        .setOkResponse(OkHttpResponse.newBuilder().addResponseHeadersToAdd(told))
        .setDynamicMetadata(metadata)
        .build();
  }

  private static CheckResponse build(Rejection rejection) {
    RejectionReason reason = rejection.reason;
    return CheckResponse.newBuilder()
        .setStatus(Status.newBuilder().setCode(Code.PERMISSION_DENIED.value()))
        .setDeniedResponse(
            DeniedHttpResponse.newBuilder()
                .setStatus(
                    HttpStatus.newBuilder().setCode(StatusCode.forNumber(reason.httpStatus())))
                .addHeaders(header("retry-after", Integer.toString(rejection.retryAfterSeconds)))
                .addHeaders(header("content-type", "application/json"))
                .setBody(json(rejection)))
        .setDynamicMetadata(reason(rejection.pool, reason))
        .build();
  }

  private static Struct reason(String pool, RejectionReason reason) {
    return Struct.newBuilder()
        .putFields("pool", text(pool))
        .putFields("reason", text(reason.label()))
        .build();
  }

  private static String json(Rejection rejection) {
    try {
      return MAPPER.writeValueAsString(rejection.body());
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException("plain values always encode", impossible);
    }
  }

  private static HeaderValueOption header(String name, String value) {
    return HeaderValueOption.newBuilder()
        .setHeader(HeaderValue.newBuilder().setKey(name).setValue(value))
        .setAppendAction(HeaderValueOption.HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD)
        .build();
  }

  private static Value text(String value) {
    return Value.newBuilder().setStringValue(value).build();
  }

  private static <K, V> V cached(Map<K, V> cache, K key, Function<K, V> build) {
    V known = cache.get(key);
    if (known != null) {
      return known;
    }
    if (cache.size() >= MAX_CACHED) {
      cache.clear();
    }
    return cache.computeIfAbsent(key, build);
  }

  /** What every answer that names this pod has in common. */
  private record PodAnswer(OkHttpResponse response, Value address) {

    static PodAnswer of(PodAddress pod) {
      String address = pod.toString();
      String encoded =
          Base64.getEncoder().encodeToString(address.getBytes(StandardCharsets.US_ASCII));
      return new PodAnswer(
          OkHttpResponse.newBuilder()
              .addHeaders(header(POD_HEADER, encoded))
              .addHeaders(header(ENDPOINT_HEADER, address))
              .build(),
          text(address));
    }
  }

  private record Rejection(String pool, RejectionReason reason, int retryAfterSeconds) {

    Body body() {
      return new Body(reason.label(), pool, retryAfterSeconds);
    }
  }

  /** The JSON body of a rejection; names and order are contract. */
  private record Body(String reason, String pool, int retryAfterSeconds) {}
}
