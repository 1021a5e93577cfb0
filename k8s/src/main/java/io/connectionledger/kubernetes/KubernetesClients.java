package io.connectionledger.kubernetes;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Clients of the API server that fail at once: who uses them knows better when to try again. */
public final class KubernetesClients {

  private static final Duration CONNECT = Duration.ofSeconds(3);

  private KubernetesClients() {}

  /**
   * A client, which the caller closes.
   *
   * @param kubeconfig null for what is found: the file that {@code KUBECONFIG} names, the user's,
   *     or the service account of the pod that this runs in
   */
  public static KubernetesClient create(@Nullable Path kubeconfig) {
    Config config =
        kubeconfig == null
            ? Config.autoConfigure(null)
            : Config.fromKubeconfig(kubeconfig.toFile());
    config.setConnectionTimeout((int) CONNECT.toMillis());
    config.setRequestRetryBackoffLimit(0);
    // Means nothing to informers, which never give up.
    config.setWatchReconnectLimit(0);
    // A connection of HTTP/2 that is told to go away takes requests of others with it.
    config.setHttp2Disable(true);
    return new KubernetesClientBuilder().withConfig(config).build();
  }
}
