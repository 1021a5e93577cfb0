package io.connectionledger.app.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class ScreenTest {

  private final StringWriter written = new StringWriter();
  private Optional<Terminal> terminal = Optional.of(new Terminal(8, 3));

  private Screen screen() {
    return new Screen(new PrintWriter(written), () -> terminal);
  }

  private String written() {
    return written.toString().replace(System.lineSeparator(), "|");
  }

  @Test
  void shouldDrawAPictureInThePlaceOfTheLast() {
    // Given
    Screen screen = screen();
    screen.paint(List.of("one", "two"));
    // When
    screen.paint(List.of("three"));
    // Then
    assertThat(written()).isEqualTo("one|two|\033[2A\033[Jthree|");
  }

  @Test
  void shouldCutAPictureToTheTerminalAsItIsNow() {
    // Given
    Screen screen = screen();
    // When
    screen.paint(List.of("123456789", "2", "3", "4"));
    terminal = Optional.of(new Terminal(30, 5));
    screen.paint(List.of("123456789", "2", "3", "4"));
    // Then
    assertThat(written()).isEqualTo("12345678|... and |\033[2A\033[J123456789|2|3|4|");
  }

  @Test
  void shouldSayHowMuchIsNotShown() {
    // Given
    terminal = Optional.of(new Terminal(80, 3));
    // When
    screen().paint(List.of("1", "2", "3", "4"));
    // Then
    assertThat(written()).isEqualTo("1|... and 3 more lines|");
  }

  @Test
  void shouldLeaveWhatWasSaid() {
    // Given
    Screen screen = screen();
    screen.paint(List.of("one"));
    // When
    screen.say("done");
    screen.paint(List.of("two"));
    // Then
    assertThat(written()).isEqualTo("one|done|two|");
  }

  @Test
  void shouldPrintEverythingBelowEachOtherWithoutATerminal() {
    // Given
    terminal = Optional.empty();
    Screen screen = screen();
    // When
    screen.paint(List.of("123456789", "2", "3", "4"));
    screen.paint(List.of("5"));
    // Then
    assertThat(screen.isTerminal()).isFalse();
    assertThat(written()).isEqualTo("123456789|2|3|4|5|");
  }

  @Test
  void shouldTakeTheUsualSizeWhereTheSystemKnowsNone() {
    assertThat(Terminal.parse("50 132")).isEqualTo(new Terminal(132, 50));
    assertThat(Terminal.parse("0 0")).isEqualTo(new Terminal(80, 24));
    assertThat(Terminal.parse("stty: standard input: Inappropriate ioctl"))
        .isEqualTo(new Terminal(80, 24));
  }
}
