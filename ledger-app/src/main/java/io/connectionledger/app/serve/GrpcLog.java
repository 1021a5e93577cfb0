package io.connectionledger.app.serve;

import io.connectionledger.model.LogRateLimiter;
import io.connectionledger.model.Ticker;
import java.time.Duration;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.slf4j.LoggerFactory;

/**
 * Has what gRPC logs by itself in our log: it writes a stack trace for each handshake that fails
 * and each message that is too large, and so for whatever a stranger sends. Of these there is a
 * line at most every ten seconds; what is severe is a fault of ours and always there. Thread-safe.
 */
final class GrpcLog extends Handler {

  private static final org.slf4j.Logger LOGGER = LoggerFactory.getLogger(GrpcLog.class);

  /** Whoever does not keep it loses its handler. */
  private static final Logger GRPC = Logger.getLogger("io.grpc");

  private final LogRateLimiter gate;
  private final Formatter formatter = new SimpleFormatter();

  GrpcLog(Ticker ticker) {
    gate = new LogRateLimiter(ticker, Duration.ofSeconds(10));
  }

  /** From now on, in this process. */
  static void install() {
    GRPC.setUseParentHandlers(false);
    GRPC.addHandler(new GrpcLog(Ticker.system()));
  }

  @Override
  public void publish(LogRecord record) {
    String message = formatter.formatMessage(record);
    if (record.getLevel().intValue() >= Level.SEVERE.intValue()) {
      LOGGER.atError().setCause(record.getThrown()).addKeyValue("said", message).log("gRPC failed");
    } else if (gate.passes()) {
      LOGGER
          .atWarn()
          .addKeyValue("said", message)
          .addKeyValue("reason", record.getThrown())
          .log("gRPC complains, further ones are not told of for a while");
    }
  }

  @Override
  public void flush() {
    // Nothing is kept back.
  }

  @Override
  public void close() {
    // As flush.
  }
}
