package io.connectionledger.kubernetes.chart;

import java.io.IOException;
import org.junit.jupiter.api.Test;

/** Writes the manifests. No test of the build: {@code k8s/render} runs it by its name. */
class RenderManifests {

  @Test
  void write() throws IOException {
    for (Manifests manifests : Manifests.ALL) {
      manifests.write();
    }
  }
}
