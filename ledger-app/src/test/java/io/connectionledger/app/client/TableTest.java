package io.connectionledger.app.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

final class TableTest {

  private static Table table() {
    return new Table().text("POD").number("ACTIVE").text("STATE");
  }

  @Test
  void shouldAlignTextToTheLeftAndNumbersToTheRight() {
    assertThat(table().row("a", 12, "full").row("a-longer-one", 7, "").lines("  ", 80))
        .containsExactly(
            "  POD           ACTIVE  STATE", // as wide as the longest
            "  a                 12  full",
            "  a-longer-one       7");
  }

  @Test
  void shouldLeaveOutTheMiddleOfLongTextsToFit() {
    assertThat(table().row("chat-6d4cf56db6-abcde", 1, "full").lines("", 29))
        .containsExactly(
            "POD             ACTIVE  STATE", // exactly 29
            "chat-6..-abcde       1  full");
  }

  @Test
  void shouldNeverCutNumbersNorTextsToNothing() {
    assertThat(table().row("chat-6d4cf56db6-abcde", 1234567890123L, "full").lines("", 10))
        .containsExactly("POD                  ACTIVE  STATE", "chat-..abcde  1234567890123  full");
  }

  @Test
  void shouldKeepNothingThatCouldMoveTheCursor() {
    assertThat(table().row("a\033[2Jb\n", 1, "").lines("", 80).get(1)).startsWith("a?[2Jb?");
  }

  @Test
  void shouldRefuseARowOfAnotherLength() {
    assertThatThrownBy(() -> table().row("a")).isInstanceOf(IllegalArgumentException.class);
  }
}
