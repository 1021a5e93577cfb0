package io.connectionledger.model.policy;

import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Requests of one host, or of a part of its paths.
 *
 * @param host in lower case and without a port; {@code *.example.com} for every host below it
 * @param pathPrefix whole segments of the path, {@code /chat} being those of {@code /chat} and
 *     {@code /chat/…}; {@code /} for all, which is what null means
 */
public record HostMatch(String host, String pathPrefix) {

  public static final String ALLOWED =
      "{ host: name or *.name, path-prefix: a path that begins with / }";

  private static final String ROOT = "/";
  private static final int MAX_LENGTH = 256;
  private static final Pattern HOST =
      Pattern.compile("(\\*\\.)?[a-z0-9_-]{1,63}(\\.[a-z0-9_-]{1,63})*|\\[[0-9a-f:.]+]");
  private static final Pattern PATH = Pattern.compile("/[!-~&&[^?#*]]*");

  public HostMatch {
    host = host == null ? "" : host.toLowerCase(Locale.ROOT);
    if (host.length() > MAX_LENGTH || !HOST.matcher(host).matches()) {
      throw new InvalidPolicyException("host", "'" + host + "'", ALLOWED);
    }
    pathPrefix = pathPrefix == null ? ROOT : pathPrefix;
    if (pathPrefix.length() > MAX_LENGTH || !PATH.matcher(pathPrefix).matches()) {
      throw new InvalidPolicyException("pathPrefix", "'" + pathPrefix + "'", ALLOWED);
    }
    while (pathPrefix.length() > 1 && pathPrefix.endsWith(ROOT)) {
      pathPrefix = pathPrefix.substring(0, pathPrefix.length() - 1);
    }
  }

  /**
   * Whether a path is among them.
   *
   * @param path as requested, with its query
   */
  boolean takes(String path) {
    return pathPrefix.equals(ROOT)
        || (path.startsWith(pathPrefix)
            && (path.length() == pathPrefix.length() || isEnd(path.charAt(pathPrefix.length()))));
  }

  private static boolean isEnd(char next) {
    return next == '/' || next == '?' || next == '#';
  }

  @Override
  public String toString() {
    return pathPrefix.equals(ROOT) ? host : host + pathPrefix;
  }
}
