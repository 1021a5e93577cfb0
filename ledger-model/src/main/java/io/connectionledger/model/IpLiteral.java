package io.connectionledger.model;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The one canonical text of an IP address: dotted decimal for IPv4, RFC 5952 for IPv6, which is how
 * Envoy writes addresses, too. Never asks a resolver. Pure.
 */
final class IpLiteral {

  /** The longest text of an IPv6 address, one that ends in dotted decimal. */
  static final int MAX_LENGTH = 45;

  private static final int GROUPS = 8;

  /** Where the two groups begin that may be written as an IPv4 address. */
  private static final int EMBEDDED = 6;

  private IpLiteral() {}

  /**
   * The canonical form of {@code ip}; an IPv4-mapped IPv6 address becomes the IPv4 address.
   *
   * @return null when it is no IP literal, has a zone, or is IPv4 in a form that some read as octal
   */
  static @Nullable String canonical(String ip) {
    if (isIpv4(ip, 0)) {
      return ip;
    }
    if (ip.indexOf(':') < 0 || ip.length() > MAX_LENGTH) {
      return null;
    }
    int[] groups = groups(ip);
    return groups == null ? null : text(groups);
  }

  /**
   * A plain loop, as it runs for every record. A leading zero is refused: some take it for octal.
   */
  private static boolean isIpv4(String text, int from) {
    int dots = 0;
    int digits = 0;
    int number = 0;
    for (int i = from; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '.' && digits > 0) {
        dots++;
        digits = 0;
        number = 0;
      } else if (c >= '0' && c <= '9' && (digits == 0 || number > 0)) {
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

  /** The eight groups of an IPv6 address; null when {@code ip} is none. */
  private static int @Nullable [] groups(String ip) {
    int[] groups = new int[GROUPS];
    int count = 0;
    int gap = -1;
    int i = 0;
    if (ip.startsWith("::")) {
      gap = 0;
      i = 2;
    }
    while (i < ip.length()) {
      int end = ip.indexOf(':', i);
      if (end < 0) {
        end = ip.length();
        if (ip.indexOf('.', i) >= 0) {
          if (count > EMBEDDED || !isIpv4(ip, i)) {
            return null;
          }
          embed(ip, i, groups, count);
          count += 2;
          break;
        }
      }
      int group = group(ip, i, end);
      if (count == GROUPS || group < 0) {
        return null;
      }
      groups[count++] = group;
      i = end + 1;
      if (i == ip.length()) {
        // A single colon at the end.
        return null;
      }
      if (i < ip.length() && ip.charAt(i) == ':') {
        if (gap >= 0) {
          return null;
        }
        gap = count;
        i++;
      }
    }
    // The gap stands for one group at least.
    if (gap < 0 ? count < GROUPS : count == GROUPS) {
      return null;
    }
    if (gap >= 0) {
      System.arraycopy(groups, gap, groups, GROUPS - count + gap, count - gap);
      Arrays.fill(groups, gap, GROUPS - count + gap, 0);
    }
    return groups;
  }

  /** One to four hexadecimal digits; -1 when they are none. */
  private static int group(String ip, int from, int end) {
    if (end - from < 1 || end - from > 4) {
      return -1;
    }
    int group = 0;
    for (int i = from; i < end; i++) {
      char c = ip.charAt(i);
      // Character.digit also takes digits of other scripts.
      int digit = c < 128 ? Character.digit(c, 16) : -1;
      if (digit < 0) {
        return -1;
      }
      group = group << 4 | digit;
    }
    return group;
  }

  private static void embed(String ip, int from, int[] groups, int at) {
    int bits = 0;
    int number = 0;
    for (int i = from; i < ip.length(); i++) {
      char c = ip.charAt(i);
      if (c == '.') {
        bits = bits << 8 | number;
        number = 0;
      } else {
        number = number * 10 + (c - '0');
      }
    }
    bits = bits << 8 | number;
    groups[at] = bits >>> 16;
    groups[at + 1] = bits & 0xffff;
  }

  private static String text(int[] groups) {
    int gap = -1;
    int gapLength = 1;
    for (int i = 0; i < GROUPS; i++) {
      int zeros = 0;
      while (i + zeros < GROUPS && groups[i + zeros] == 0) {
        zeros++;
      }
      if (zeros > gapLength) {
        gap = i;
        gapLength = zeros;
      }
      i += zeros;
    }
    StringBuilder text = new StringBuilder(MAX_LENGTH);
    if (gap == 0 && gapLength == EMBEDDED - 1 && groups[EMBEDDED - 1] == 0xffff) {
      return dotted(text, groups).toString();
    }
    for (int i = 0; i < GROUPS; i++) {
      if (i == gap) {
        text.append("::");
        i += gapLength - 1;
      } else if (i == EMBEDDED && gap == 0 && gapLength == EMBEDDED) {
        // The deprecated IPv4-compatible addresses, as inet_ntop and so Envoy writes them.
        return dotted(text, groups).toString();
      } else {
        if (i > 0 && i != gap + gapLength) {
          text.append(':');
        }
        text.append(Integer.toHexString(groups[i]));
      }
    }
    return text.toString();
  }

  private static StringBuilder dotted(StringBuilder text, int[] groups) {
    return text.append(groups[EMBEDDED] >> 8)
        .append('.')
        .append(groups[EMBEDDED] & 0xff)
        .append('.')
        .append(groups[EMBEDDED + 1] >> 8)
        .append('.')
        .append(groups[EMBEDDED + 1] & 0xff);
  }
}
