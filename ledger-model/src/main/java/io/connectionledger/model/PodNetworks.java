package io.connectionledger.model;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Where pods may be that somebody else than the operator names: over HTTP, or as an object of
 * Kubernetes. Envoy connects to whatever address it is given, so an address that means the machine
 * itself, its metadata service or everybody must come from the operator alone. Pure.
 *
 * @param allowed networks, of which one has the pod's address; empty for all but the special ones
 */
public record PodNetworks(List<Network> allowed) {

  /** Every address but the special ones. */
  public static final PodNetworks USUAL = new PodNetworks(List.of());

  /** What a network may be written as, for the operator. */
  public static final String ALLOWED = "a network such as 10.0.0.0/8 or fd00::/8";

  /** Amazon's metadata service over IPv6, which is no link-local address. */
  private static final Network METADATA_6 = Network.parse("fd00:ec2::254/128");

  /** "This network", of which 0.0.0.0 reaches the machine itself. */
  private static final Network THIS_NETWORK = Network.parse("0.0.0.0/8");

  private static final Network BROADCAST = Network.parse("255.255.255.255/32");

  public PodNetworks {
    allowed = List.copyOf(allowed);
  }

  /** Why a pod may not be there, as what is allowed; empty when it may. */
  public Optional<String> refusal(PodAddress pod) {
    InetAddress address = address(pod.ip());
    if (allowed.stream().anyMatch(network -> network.has(address))) {
      return Optional.empty();
    }
    if (!allowed.isEmpty()) {
      return Optional.of("an address in one of pods-allowed: " + this);
    }
    return isSpecial(address)
        ? Optional.of(
            "no loopback, link-local, metadata, multicast or unspecified address, unless"
                + " pods-allowed has it")
        : Optional.empty();
  }

  private static boolean isSpecial(InetAddress address) {
    return address.isLoopbackAddress()
        || address.isAnyLocalAddress()
        || address.isLinkLocalAddress()
        || address.isMulticastAddress()
        || THIS_NETWORK.has(address)
        || BROADCAST.has(address)
        || METADATA_6.has(address);
  }

  private static InetAddress address(String literal) {
    try {
      // A literal is never looked up.
      return InetAddress.getByName(literal);
    } catch (UnknownHostException impossible) {
      throw new IllegalArgumentException(literal + " is no IP literal", impossible);
    }
  }

  @Override
  public String toString() {
    return String.join(", ", allowed.stream().map(Network::toString).toList());
  }

  /**
   * A network, written as {@code address/bits}.
   *
   * @param first its address
   * @param bits how many bits all of its addresses share
   */
  public record Network(String first, int bits) {

    /**
     * Reads the written form.
     *
     * @throws IllegalArgumentException when {@code text} is none
     */
    public static Network parse(String text) {
      int slash = text.indexOf('/');
      String ip = slash < 0 ? null : IpLiteral.canonical(text.substring(0, slash));
      OptionalInt bits = slash < 0 ? OptionalInt.empty() : number(text.substring(slash + 1));
      if (ip == null
          || bits.isEmpty()
          || bits.getAsInt() > address(ip).getAddress().length * Byte.SIZE) {
        throw new IllegalArgumentException("'" + text + "' is no network: allowed is " + ALLOWED);
      }
      return new Network(ip, bits.getAsInt());
    }

    private static OptionalInt number(String text) {
      return text.length() <= 3
              && !text.isEmpty()
              && text.chars().allMatch(digit -> digit >= '0' && digit <= '9')
          ? OptionalInt.of(Integer.parseInt(text))
          : OptionalInt.empty();
    }

    boolean has(InetAddress address) {
      byte[] ours = address(first).getAddress();
      byte[] other = address.getAddress();
      int whole = bits / Byte.SIZE;
      if (ours.length != other.length || !Arrays.equals(ours, 0, whole, other, 0, whole)) {
        return false;
      }
      int rest = bits % Byte.SIZE;
      return rest == 0 || (ours[whole] ^ other[whole]) >> (Byte.SIZE - rest) == 0;
    }

    @Override
    public String toString() {
      return first + "/" + bits;
    }
  }
}
