package io.connectionledger.ingest.translate;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.envoyproxy.envoy.data.accesslog.v3.AccessLogCommon;
import org.jspecify.annotations.Nullable;

/**
 * What the admission answer left in the stream's metadata. Envoy copies it there from the answer
 * alone, so that no client can write it. It is read in both forms: dynamic metadata of the gRPC
 * answer ({@code reservation}) and response headers of the HTTP answer ({@code
 * x-ledger-reservation}).
 *
 * @param pool null when the answer named none
 * @param reservation the decision's id; null when the stream was never decided on
 * @param pod where the connection was placed, as ip:port; null when it was not
 * @param rejected whether the decision was a rejection, even if it was not enforced
 */
public record AdmissionMetadata(
    @Nullable String pool, @Nullable String reservation, @Nullable String pod, boolean rejected) {

  public static final String NAMESPACE = "envoy.filters.http.ext_authz";

  private static final AdmissionMetadata NONE = new AdmissionMetadata(null, null, null, false);

  static AdmissionMetadata of(AccessLogCommon common) {
    Struct metadata = common.getMetadata().getFilterMetadataMap().get(NAMESPACE);
    if (metadata == null) {
      return NONE;
    }
    return new AdmissionMetadata(
        text(metadata, "pool", "x-ledger-pool"),
        text(metadata, "reservation", "x-ledger-reservation"),
        first(text(metadata, "pod", "x-ledger-endpoint")),
        text(metadata, "reason", "x-ledger-reason") != null);
  }

  /** Alternates may follow the pod, separated by commas. */
  private static @Nullable String first(@Nullable String pods) {
    if (pods == null) {
      return null;
    }
    int comma = pods.indexOf(',');
    return comma < 0 ? pods : pods.substring(0, comma);
  }

  private static @Nullable String text(Struct metadata, String grpcKey, String httpKey) {
    Value value = metadata.getFieldsMap().get(grpcKey);
    if (value == null || !value.hasStringValue()) {
      value = metadata.getFieldsMap().get(httpKey);
    }
    return value != null && value.hasStringValue() ? value.getStringValue() : null;
  }
}
