package io.connectionledger.app.config;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a policy file may cost, which somebody else may have written. */
class YamlBoundsTest {

  static Stream<String> costly() {
    StringBuilder laughs = new StringBuilder("a0: &a0 [x]\n");
    for (int i = 1; i <= 60; i++) {
      laughs.append("a%d: &a%d [*a%d, *a%d]\n".formatted(i, i, i - 1, i - 1));
    }
    return Stream.of(
        "[".repeat(100_000),
        "a: ".repeat(1)
            + "{b: ".repeat(Settings.MAX_DEPTH + 1)
            + "}".repeat(Settings.MAX_DEPTH + 1),
        laughs.toString(),
        "chat: &a { pods: [ *a ] }",
        "chat: &a { affinity: *a }",
        "chat: { burst-capacity: 1 }\n" + "# " + "x".repeat(Settings.MAX_CHARACTERS));
  }

  @ParameterizedTest
  @MethodSource("costly")
  void shouldBeRefusedInOneLine(String yaml) {
    assertThatThrownBy(() -> PolicyFile.parse(yaml, "pools.yaml"))
        .isInstanceOf(ConfigException.class)
        .message()
        .hasLineCount(1);
  }
}
