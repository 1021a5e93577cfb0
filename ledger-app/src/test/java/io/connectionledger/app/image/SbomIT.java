package io.connectionledger.app.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the build says that the program consists of. */
class SbomIT {

  @Test
  void shouldNameEveryJarOfTheProgramAndNoOther() throws Exception {
    JsonNode sbom = new JsonMapper().readTree(Path.of("target/sbom.json").toFile());
    List<String> named = new ArrayList<>();
    for (JsonNode component : sbom.path("components")) {
      named.add(component.path("name").asText() + "-" + component.path("version").asText());
      assertThat(component.path("purl").asText()).startsWith("pkg:maven/");
      assertThat(component.path("hashes")).as(component.path("name").asText()).isNotEmpty();
    }

    assertThat(sbom.path("bomFormat").asText()).isEqualTo("CycloneDX");
    try (Stream<Path> jars = Files.list(Path.of("target/lib"))) {
      assertThat(named)
          .containsExactlyInAnyOrderElementsOf(
              jars.map(jar -> Objects.toString(jar.getFileName()).replaceFirst("\\.jar$", ""))
                  .toList());
    }
  }
}
