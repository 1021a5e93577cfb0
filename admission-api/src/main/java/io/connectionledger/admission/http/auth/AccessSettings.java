package io.connectionledger.admission.http.auth;

import java.net.URI;
import java.nio.file.Path;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * By what callers prove who they are; by nothing where neither file nor issuer is there.
 *
 * @param tokensFile a line for each token, with its role; null for none
 * @param jwt whose tokens count; null for nobody's
 * @param openMetrics whether metrics are for everybody, or for who may read
 */
public record AccessSettings(@Nullable Path tokensFile, @Nullable Jwt jwt, boolean openMetrics) {

  /** Everybody may everything. */
  public static final AccessSettings OPEN = new AccessSettings(null, null, true);

  /** Where roles stand in a token unless it is said otherwise. */
  public static final String ROLES_CLAIM = "roles";

  /**
   * Tokens of an OpenID Connect issuer.
   *
   * @param audience whom a token must be for
   * @param rolesClaim has the role or a list of them; of a claim within another, with a dot between
   */
  public record Jwt(URI issuer, String audience, String rolesClaim) {

    /** What an issuer may be, for the operator. */
    public static final String ISSUER_ALLOWED = "an https URL, or an http URL of this machine";

    private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "[::1]");

    public Jwt {
      if (!isSafe(issuer)) {
        throw new IllegalArgumentException(
            "'" + issuer + "' is no issuer: allowed is " + ISSUER_ALLOWED);
      }
    }

    /** Whether nobody on the way to {@code url} can change what is answered there. */
    static boolean isSafe(URI url) {
      String host = url.getHost();
      return host != null
          && ("https".equals(url.getScheme())
              || ("http".equals(url.getScheme()) && LOOPBACK.contains(host)));
    }
  }

  /** Whether a caller has to prove anything. */
  public boolean isRequired() {
    return tokensFile != null || jwt != null;
  }
}
