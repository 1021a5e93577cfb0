package io.connectionledger.app.serve;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.connectionledger.testkit.ManualTicker;
import java.time.Duration;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class GrpcLogTest {

  private final Logger logger = (Logger) LoggerFactory.getLogger(GrpcLog.class);
  private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
  private final ManualTicker ticker = new ManualTicker();
  private final GrpcLog log = new GrpcLog(ticker);

  @BeforeEach
  void listen() {
    lines.start();
    logger.addAppender(lines);
    logger.setAdditive(false);
  }

  @AfterEach
  void stop() {
    logger.detachAppender(lines);
    logger.setAdditive(true);
  }

  private void publish(java.util.logging.Level level, String message) {
    LogRecord published = new LogRecord(level, message);
    published.setThrown(new IllegalStateException("why"));
    log.publish(published);
  }

  @Test
  void shouldTellOfWhatStrangersSendOnceInAWhile() {
    publish(java.util.logging.Level.INFO, "Transport failed");
    publish(java.util.logging.Level.WARNING, "Exception processing message");
    ticker.advance(Duration.ofSeconds(11));
    publish(java.util.logging.Level.WARNING, "Stream Error");

    assertThat(lines.list)
        .allMatch(line -> line.getLevel() == Level.WARN && line.getThrowableProxy() == null)
        .extracting(line -> String.valueOf(line.getKeyValuePairs()))
        .containsExactly(
            "[said=\"Transport failed\", reason=\"java.lang.IllegalStateException: why\"]",
            "[said=\"Stream Error\", reason=\"java.lang.IllegalStateException: why\"]");
  }

  @Test
  void shouldTellOfEachFaultOfOurs() {
    publish(java.util.logging.Level.SEVERE, "Uncaught");
    publish(java.util.logging.Level.SEVERE, "Uncaught");

    assertThat(lines.list)
        .hasSize(2)
        .allMatch(line -> line.getLevel() == Level.ERROR && line.getThrowableProxy() != null);
  }
}
