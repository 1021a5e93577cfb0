package io.connectionledger.controlplane;

import java.util.Collection;
import java.util.regex.Pattern;

/**
 * A response of this server that an Envoy refused.
 *
 * @param envoy the Envoy's node id
 * @param version of the response
 * @param pools those that it was about; shortened when they are many
 * @param reason Envoy's {@code error_detail}, shortened and on one line
 */
record Nack(String envoy, String version, String pools, String reason) {

  private static final int MAX_TEXT = 300;
  private static final Pattern BREAKS = Pattern.compile("[\\s\\p{Cc}\\p{Zl}\\p{Zp}]+");

  static Nack of(String envoy, String version, Collection<String> pools, String reason) {
    return new Nack(
        oneLine(envoy), oneLine(version), oneLine(String.join(", ", pools)), oneLine(reason));
  }

  private static String oneLine(String text) {
    if (text.length() <= MAX_TEXT) {
      return BREAKS.matcher(text).replaceAll(" ").strip();
    }
    int end = Character.isHighSurrogate(text.charAt(MAX_TEXT - 1)) ? MAX_TEXT - 1 : MAX_TEXT;
    return BREAKS.matcher(text.substring(0, end)).replaceAll(" ").strip() + "…";
  }
}
