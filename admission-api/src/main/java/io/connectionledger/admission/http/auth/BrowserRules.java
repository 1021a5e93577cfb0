package io.connectionledger.admission.http.auth;

import java.net.URI;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What keeps a page of another site from using the API through the browser of somebody who reaches
 * it: by a name that leads here (DNS rebinding), or by a request that the browser sends blindly.
 * Pure.
 */
public final class BrowserRules {

  private static final Pattern LOOPBACK_4 = Pattern.compile("127(\\.\\d{1,3}){3}");

  private final boolean onlyKnownHosts;
  private final Set<String> hosts = new HashSet<>();

  /**
   * The rules of one port.
   *
   * @param bind where it listens: on loopback, it is reached by loopback's names and {@code hosts}
   *     alone
   * @param hosts further names; if there are any, no others count wherever it listens
   */
  public BrowserRules(String bind, Set<String> hosts) {
    onlyKnownHosts = isLoopback(plain(bind)) || !hosts.isEmpty();
    this.hosts.add(plain(bind));
    hosts.forEach(host -> this.hosts.add(plain(host)));
  }

  /** Whether {@code host}, as a request names it without its port, means this instance. */
  public boolean isKnown(String host) {
    String name = plain(host);
    return !onlyKnownHosts || isLoopback(name) || hosts.contains(name);
  }

  /**
   * Whether a browser says that the request comes from a page of another site.
   *
   * @param origin the header of this name
   * @param fetchSite the header {@code Sec-Fetch-Site}
   * @param authority the request's own {@code host:port}
   */
  public static boolean isCrossSite(
      @Nullable String origin, @Nullable String fetchSite, String authority) {
    if (fetchSite != null && !fetchSite.equals("same-origin") && !fetchSite.equals("none")) {
      return true;
    }
    return origin != null && !authority.equalsIgnoreCase(authority(origin));
  }

  /** Of an origin; that of a page without one is "null", which equals nobody's. */
  private static @Nullable String authority(String origin) {
    try {
      return URI.create(origin).getRawAuthority();
    } catch (IllegalArgumentException malformed) {
      return null;
    }
  }

  /** Whether a name or an address means this machine alone. */
  public static boolean isLoopback(String host) {
    String name = plain(host);
    return name.equals("localhost")
        || name.endsWith(".localhost")
        || name.equals("::1")
        || name.equals("0:0:0:0:0:0:0:1")
        || LOOPBACK_4.matcher(name).matches();
  }

  private static String plain(String host) {
    String name = host.toLowerCase(Locale.ROOT);
    return name.startsWith("[") && name.endsWith("]") ? name.substring(1, name.length() - 1) : name;
  }
}
