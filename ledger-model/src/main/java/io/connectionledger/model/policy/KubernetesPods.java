package io.connectionledger.model.policy;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.annotation.JsonDeserialize;
import com.fasterxml.jackson.databind.annotation.JsonSerialize;
import com.fasterxml.jackson.databind.util.StdConverter;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Which pods of Kubernetes serve a pool: those behind a Service, or those with certain labels.
 *
 * @param namespace in which they are
 * @param service the Service whose EndpointSlices name them; null when the labels do
 * @param selector labels that all of them have; empty when the Service names them
 * @param port the number of the port on which they serve, or its name, as text
 */
public record KubernetesPods(
    String namespace,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String service,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) Map<String, String> selector,
    @JsonSerialize(converter = PortWriter.class) @JsonDeserialize(converter = PortReader.class)
        String port) {

  public static final String ALLOWED =
      "{ namespace: x, service: y, port: z }, or selector: { label: value } in place of service";

  /** The name of an object as Kubernetes allows it: a label of RFC 1123. */
  private static final Pattern NAME = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");

  private static final Pattern LABEL_KEY =
      Pattern.compile("([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?");
  private static final Pattern LABEL_VALUE =
      Pattern.compile("([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?");
  private static final Pattern PORT_NUMBER = Pattern.compile("[0-9]{1,5}");

  /** The name of a service of IANA's, RFC 6335, as Kubernetes allows it for a port. */
  private static final Pattern PORT_NAME = Pattern.compile("[a-z0-9-]{0,14}[a-z0-9]");

  private static final int MAX_PORT = 65_535;
  private static final int MAX_LABELS = 16;

  public KubernetesPods {
    // What reads JSON leaves absent components null, whatever their type promises.
    if (namespace == null || !NAME.matcher(namespace).matches()) {
      throw invalid("namespace", namespace, "the name of a namespace");
    }
    selector = selector == null ? Map.of() : Map.copyOf(selector);
    if ((service == null) == selector.isEmpty()) {
      throw new InvalidPolicyException(
          "service",
          service == null ? "missing" : "'" + service + "' beside a selector",
          "exactly one of service and selector");
    }
    if (service != null && !NAME.matcher(service).matches()) {
      throw invalid("service", service, "the name of a Service");
    }
    boolean labels =
        selector.entrySet().stream()
            .allMatch(
                label ->
                    LABEL_KEY.matcher(label.getKey()).matches()
                        && LABEL_VALUE.matcher(label.getValue()).matches());
    if (selector.size() > MAX_LABELS || !labels) {
      throw new InvalidPolicyException(
          "selector", selector, "1 to " + MAX_LABELS + " labels of Kubernetes and their values");
    }
    if (port == null || !isPort(port)) {
      throw invalid("port", port, "1 to " + MAX_PORT + ", or the name of a port");
    }
  }

  private static boolean isPort(String port) {
    if (PORT_NUMBER.matcher(port).matches()) {
      int number = Integer.parseInt(port);
      return number >= 1 && number <= MAX_PORT;
    }
    return PORT_NAME.matcher(port).matches();
  }

  private static InvalidPolicyException invalid(
      String key, @Nullable String value, String allowed) {
    return new InvalidPolicyException(key, value == null ? "missing" : "'" + value + "'", allowed);
  }

  /** A number stays one. */
  static final class PortWriter extends StdConverter<String, Object> {
    @Override
    public Object convert(String port) {
      return PORT_NUMBER.matcher(port).matches() ? Integer.valueOf(port) : port;
    }
  }

  static final class PortReader extends StdConverter<Object, String> {
    @Override
    public String convert(Object port) {
      return port.toString();
    }
  }
}
