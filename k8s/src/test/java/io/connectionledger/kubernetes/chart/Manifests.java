package io.connectionledger.kubernetes.chart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The manifests for those without Helm: each rendered from the chart with a file of values. */
record Manifests(String folder, List<Path> values) {

  static final List<Manifests> ALL =
      List.of(
          new Manifests("base", List.of()),
          new Manifests("overlays/local", List.of(Chart.LOCAL)),
          new Manifests("overlays/eks", List.of(Chart.EKS)));

  Path file() {
    return Path.of(folder, "rendered.yaml");
  }

  String rendered() {
    // What else `helm install --create-namespace` would make.
    String manifest =
        Chart.render(Map.of("namespace.create", "true"), values.toArray(Path[]::new))
            .replaceAll("(?m) +$", "");
    String with = values.isEmpty() ? "its own values" : values.getFirst().getFileName().toString();
    return "# Rendered from k8s/chart with " + with + " by k8s/render: do not edit.\n" + manifest;
  }

  void write() throws IOException {
    Files.writeString(file(), rendered());
  }

  @Override
  public String toString() {
    return folder;
  }
}
