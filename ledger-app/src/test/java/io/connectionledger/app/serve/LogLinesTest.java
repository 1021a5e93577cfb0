package io.connectionledger.app.serve;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.OutputStreamAppender;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.slf4j.event.KeyValuePair;

/** The log as the program writes it: what others wrote is a value in it, and never a line. */
class LogLinesTest {

  private static String written(String value, @Nullable Throwable cause) throws Exception {
    LoggerContext context = new LoggerContext();
    JoranConfigurator configurator = new JoranConfigurator();
    configurator.setContext(context);
    configurator.doConfigure(
        Objects.requireNonNull(LogLinesTest.class.getResource("/logback.xml"), "logback.xml"));
    OutputStreamAppender<ILoggingEvent> appender =
        (OutputStreamAppender<ILoggingEvent>) context.getLogger("ROOT").getAppender("STDERR");
    LoggingEvent event =
        new LoggingEvent(
            "",
            context.getLogger("io.connectionledger.X"),
            Level.WARN,
            "Said: " + value,
            cause,
            null);
    event.setKeyValuePairs(List.of(new KeyValuePair("envoy", value)));
    try {
      return new String(appender.getEncoder().encode(event), UTF_8);
    } finally {
      context.stop();
    }
  }

  @Test
  void shouldKeepWhatOthersWroteOnOneLine() throws Exception {
    String line = written("a\r\n12:00:00.000 INFO  forged\u2028x\u202eb\u001b[2J\u0085c", null);

    assertThat(line).endsWith("\"" + System.lineSeparator());
    assertThat(line.stripTrailing())
        .contains("envoy=\"a??12:00:00.000 INFO  forged?x?b?[2J?c\"")
        .doesNotContainPattern("[\\p{Cntrl}\\p{Cf}\\p{Zl}]");
  }

  @Test
  void shouldIndentAStackTrace() throws Exception {
    String lines = written("x", new IllegalStateException("a\n12:00:00.000 INFO  forged"));

    assertThat(lines.lines().skip(1)).isNotEmpty().allMatch(line -> line.startsWith("  "));
  }

  @Test
  void shouldLeaveOrdinaryTextAlone() throws Exception {
    assertThat(written("Envoy zoë «1» 数", null))
        .contains("Said: Envoy zoë «1» 数 envoy=\"Envoy zoë «1» 数\"");
  }
}
