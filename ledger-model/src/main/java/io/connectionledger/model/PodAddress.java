package io.connectionledger.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.net.URI;
import java.net.URISyntaxException;

/**
 * The address of one pod as Envoy knows it: an IP literal and a port, written {@code 10.0.0.7:8080}
 * or {@code [fd00::7]:8080}. It is the identity of the pod throughout the ledger, because the
 * access log names nothing else.
 *
 * @param ip the IP literal without brackets
 * @param port 1 to 65535
 */
public record PodAddress(String ip, int port) implements Comparable<PodAddress> {

  private static final int MAX_IP_LENGTH = 45;

  public PodAddress {
    if (port < 1 || port > 65_535 || !isLiteral(ip)) {
      throw new IllegalArgumentException(
          "'" + ip + ":" + port + "' is not a pod address: allowed is ip:port or [ipv6]:port");
    }
  }

  /**
   * Reads the written form.
   *
   * @throws IllegalArgumentException with a sentence for the operator when {@code text} is not one
   */
  @JsonCreator
  public static PodAddress parse(String text) {
    int colon = text.lastIndexOf(':');
    if (colon > 0 && colon < text.length() - 1 && text.length() <= MAX_IP_LENGTH + 8) {
      String host = text.substring(0, colon);
      boolean bracketed = host.startsWith("[") && host.endsWith("]");
      String ip = bracketed ? host.substring(1, host.length() - 1) : host;
      try {
        if (bracketed == ip.contains(":") && Character.isDigit(text.charAt(colon + 1))) {
          return new PodAddress(ip, Integer.parseInt(text, colon + 1, text.length(), 10));
        }
      } catch (NumberFormatException notANumber) {
        throw new IllegalArgumentException(notAnAddress(text), notANumber);
      }
    }
    throw new IllegalArgumentException(notAnAddress(text));
  }

  private static String notAnAddress(String text) {
    String shown = text.length() > 60 ? text.substring(0, 60) + "…" : text;
    return "'" + shown + "' is not a pod address: allowed is ip:port or [ipv6]:port";
  }

  private static boolean isLiteral(String ip) {
    if (ip.isEmpty() || ip.length() > MAX_IP_LENGTH) {
      return false;
    }
    if (ip.indexOf(':') < 0) {
      return isIpv4(ip);
    }
    try {
      // The URI parser knows the IPv6 grammar and, unlike InetAddress, never asks a resolver.
      return new URI("x://[" + ip + "]").getHost() != null;
    } catch (URISyntaxException invalid) {
      return false;
    }
  }

  /** Four numbers of one to three digits up to 255; a plain loop, as it runs for every record. */
  private static boolean isIpv4(String ip) {
    int dots = 0;
    int digits = 0;
    int number = 0;
    for (int i = 0; i < ip.length(); i++) {
      char c = ip.charAt(i);
      if (c == '.' && digits > 0) {
        dots++;
        digits = 0;
        number = 0;
      } else if (c >= '0' && c <= '9' && digits < 3) {
        digits++;
        number = number * 10 + (c - '0');
      } else {
        return false;
      }
      if (number > 255) {
        return false;
      }
    }
    return dots == 3 && digits > 0;
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
