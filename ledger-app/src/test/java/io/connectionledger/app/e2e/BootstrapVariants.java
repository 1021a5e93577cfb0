package io.connectionledger.app.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The bootstrap file of Envoy, changed in one place. */
public final class BootstrapVariants {

  private static final Path ORIGINAL = Fleet.ROOT.resolve("envoy/envoy.yaml");
  private static final String FILTERS =
      "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters";

  private BootstrapVariants() {}

  /**
   * One whose ext_authz is configured differently.
   *
   * @param key what it has no more
   * @param instead YAML of what it has instead
   */
  static JsonNode withExtAuthz(String key, String instead) throws IOException {
    YAMLMapper yaml = new YAMLMapper();
    JsonNode file = yaml.readTree(ORIGINAL.toFile());
    for (JsonNode filter : file.at(FILTERS)) {
      if (filter.path("name").asText().equals("envoy.filters.http.ext_authz")) {
        ObjectNode authz = (ObjectNode) filter.path("typed_config");
        authz.remove(key);
        authz.setAll((ObjectNode) yaml.readTree(instead));
      }
    }
    return file;
  }

  /** One that lets nobody pass while it cannot ask the ledger, written to {@code folder}. */
  public static Path failingClosed(Path folder) throws IOException {
    String original = Files.readString(ORIGINAL);
    String changed = original.replace("failure_mode_allow: true", "failure_mode_allow: false");
    if (changed.equals(original)) {
      throw new IllegalStateException("envoy.yaml does not say failure_mode_allow: true any more");
    }
    return Files.writeString(folder.resolve("envoy.yaml"), changed);
  }

  /** One that gets its pods over ADS, as docs/admission.md says, written to {@code folder}. */
  static Path overAds(Path folder) throws IOException {
    JsonNode file = new YAMLMapper().readTree(ORIGINAL.toFile());
    for (JsonNode cluster : file.at("/static_resources/clusters")) {
      if (cluster.at("/eds_cluster_config/eds_config") instanceof ObjectNode eds) {
        ((ObjectNode) file)
            .putObject("dynamic_resources")
            .set("ads_config", eds.remove("api_config_source"));
        eds.putObject("ads");
      }
    }
    return Files.writeString(folder.resolve("envoy-ads.yaml"), file.toPrettyString());
  }
}
