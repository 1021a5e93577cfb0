package io.connectionledger.kubernetes;

import io.connectionledger.testkit.KubeApi;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/**
 * A control plane with the definition of ConnectionPools, and one who may do what the ledger may.
 */
public final class WriterCluster implements AutoCloseable {

  /** The namespace of the Lease. */
  public static final String LEASES = "default";

  private static final String DEFINITION = "connectionpools.connectionledger.io";

  private final KubeApi api;
  private final KubernetesClient admin;

  private WriterCluster(KubeApi api) {
    this.api = api;
    this.admin = KubernetesClients.create(api.kubeconfig());
  }

  /** Starts one; see {@link KubeApi#start}. */
  public static WriterCluster start(Path folder, String... options)
      throws IOException, InterruptedException {
    WriterCluster cluster = new WriterCluster(KubeApi.start(folder, options));
    try (InputStream definition =
            Files.newInputStream(Path.of("chart", "files", "connectionpool-crd.yaml"));
        InputStream role =
            Objects.requireNonNull(WriterCluster.class.getResourceAsStream("writer-role.yaml"))) {
      Object unused = cluster.admin.load(definition).serverSideApply();
      unused = cluster.admin.load(role).serverSideApply();
    }
    Object unused =
        cluster
            .admin
            .apiextensions()
            .v1()
            .customResourceDefinitions()
            .withName(DEFINITION)
            .waitUntilCondition(
                definition ->
                    definition.getStatus().getConditions().stream()
                        .anyMatch(
                            condition ->
                                condition.getType().equals("Established")
                                    && condition.getStatus().equals("True")),
                10,
                TimeUnit.SECONDS);
    return cluster;
  }

  public KubeApi api() {
    return api;
  }

  /** One who may do everything; closed with the cluster. */
  public KubernetesClient admin() {
    return admin;
  }

  /** One with the rights of the ledger, which the caller closes. */
  public KubernetesClient writer() {
    Config config = Config.fromKubeconfig(api.kubeconfig().toFile());
    config.setImpersonateUsername("ledger-writer");
    config.setRequestRetryBackoffLimit(0);
    return new KubernetesClientBuilder().withConfig(config).build();
  }

  public void createNamespace(String name) {
    Object unused =
        admin
            .resource(new NamespaceBuilder().withNewMetadata().withName(name).endMetadata().build())
            .create();
  }

  @Override
  public void close() {
    admin.close();
    api.close();
  }
}
