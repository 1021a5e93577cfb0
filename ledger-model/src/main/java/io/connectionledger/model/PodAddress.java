package io.connectionledger.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Optional;

/**
 * The address of one pod as Envoy knows it: an IP literal and a port, written {@code 10.0.0.7:8080}
 * or {@code [fd00::7]:8080}. It is the identity of the pod throughout the ledger, because the
 * access log names nothing else. So however an address was spelt, it is kept in one form: IPv4 in
 * dotted decimal, IPv6 as in RFC 5952, an IPv4-mapped IPv6 address as the IPv4 address.
 *
 * @param ip the IP literal in that form, without brackets
 * @param port 1 to 65535
 */
public record PodAddress(String ip, int port) implements Comparable<PodAddress> {

  /** What may be written, for the operator. */
  public static final String ALLOWED =
      "ip:port or [ipv6]:port, IPv4 without leading zeros, IPv6 without a zone";

  private static final int MAX_PORT_DIGITS = 5;

  public PodAddress {
    String canonical = IpLiteral.canonical(ip);
    if (canonical == null || !isPort(port)) {
      throw new IllegalArgumentException(notAnAddress(ip + ":" + port));
    }
    ip = canonical;
  }

  /**
   * Reads the written form.
   *
   * @throws IllegalArgumentException with a sentence for the operator when {@code text} is not one
   */
  @JsonCreator
  public static PodAddress parse(String text) {
    return find(text).orElseThrow(() -> new IllegalArgumentException(notAnAddress(text)));
  }

  /** The address that {@code text} is; empty when it is none, but for example a pod's name. */
  public static Optional<PodAddress> find(String text) {
    int colon = text.lastIndexOf(':');
    if (colon > 0 && isNumber(text, colon + 1)) {
      boolean bracketed = text.charAt(0) == '[' && text.charAt(colon - 1) == ']';
      String ip = bracketed ? text.substring(1, colon - 1) : text.substring(0, colon);
      int port = Integer.parseInt(text, colon + 1, text.length(), 10);
      if (bracketed == (ip.indexOf(':') >= 0) && isPort(port) && IpLiteral.canonical(ip) != null) {
        return Optional.of(new PodAddress(ip, port));
      }
    }
    return Optional.empty();
  }

  private static boolean isPort(int port) {
    return port >= 1 && port <= 65_535;
  }

  /** Only ASCII digits, unlike {@link Integer#parseInt(String)}. */
  private static boolean isNumber(String text, int from) {
    int digits = text.length() - from;
    for (int i = from; i < text.length(); i++) {
      if (text.charAt(i) < '0' || text.charAt(i) > '9') {
        return false;
      }
    }
    return digits >= 1 && digits <= MAX_PORT_DIGITS;
  }

  private static String notAnAddress(String text) {
    String shown = text.length() > 60 ? text.substring(0, 60) + "…" : text;
    return "'" + shown + "' is not a pod address: allowed is " + ALLOWED;
  }

  @JsonValue
  @Override
  public String toString() {
    return ip.indexOf(':') < 0 ? ip + ":" + port : "[" + ip + "]:" + port;
  }

  @Override
  public int compareTo(PodAddress other) {
    int byIp = ip.compareTo(other.ip);
    return byIp != 0 ? byIp : Integer.compare(port, other.port);
  }
}
