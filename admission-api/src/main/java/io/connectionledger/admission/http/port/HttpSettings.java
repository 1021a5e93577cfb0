package io.connectionledger.admission.http.port;

import io.connectionledger.model.PodNetworks;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How the HTTP API is reached and what may be changed through it.
 *
 * @param main answers everything, but writes where {@code admin} is there
 * @param admin the only one that answers writes; null for none of its own
 * @param probes answers health and metrics, with threads of its own; null for none
 * @param tls of all but the probes, whose callers have no certificates; null for plain text
 * @param hosts names by which it is reached beside its own
 * @param writablePods whether a policy that is put may say which pods there are
 * @param networks where such pods may be
 */
public record HttpSettings(
    HttpAddress main,
    @Nullable HttpAddress admin,
    @Nullable HttpAddress probes,
    @Nullable HttpTls tls,
    Set<String> hosts,
    boolean writablePods,
    PodNetworks networks) {

  public HttpSettings {
    hosts = Set.copyOf(hosts);
  }

  /** One port, and pods that are the configuration's alone. */
  public static HttpSettings on(String bind, int port) {
    return new HttpSettings(
        new HttpAddress(bind, port), null, null, null, Set.of(), false, PodNetworks.USUAL);
  }

  public HttpSettings withTls(HttpTls other) {
    return new HttpSettings(main, admin, probes, other, hosts, writablePods, networks);
  }
}
