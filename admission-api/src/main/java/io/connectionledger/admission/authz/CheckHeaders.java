package io.connectionledger.admission.authz;

import com.google.protobuf.ByteString;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.service.auth.v3.AttributeContext.HttpRequest;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The headers of the request that a check is about, in either of the forms that Envoy sends: a map
 * of texts, or with {@code encode_raw_headers} a list of bytes in which a name may repeat.
 */
final class CheckHeaders {

  private CheckHeaders() {}

  /**
   * The value of a header, several joined by commas; null when there is none.
   *
   * @param name in lower case
   */
  static @Nullable String get(HttpRequest request, String name) {
    String text = request.getHeadersMap().get(name);
    return text != null || !request.hasHeaderMap() ? text : raw(request, name);
  }

  private static @Nullable String raw(HttpRequest request, String name) {
    StringBuilder values = null;
    for (HeaderValue header : request.getHeaderMap().getHeadersList()) {
      if (header.getKey().equalsIgnoreCase(name)) {
        if (values == null) {
          values = new StringBuilder();
        } else {
          values.append(',');
        }
        ByteString raw = header.getRawValue();
        // Bytes of a header are no text of any charset; this keeps each of them apart.
        values.append(
            raw.isEmpty() ? header.getValue() : raw.toString(StandardCharsets.ISO_8859_1));
      }
    }
    return values == null ? null : values.toString();
  }
}
