package io.connectionledger.app.serve;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What has been started, closed in the opposite order, each part even if another fails. */
final class Closer implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(Closer.class);

  private final Deque<AutoCloseable> parts = new ArrayDeque<>();

  /** Takes {@code part} over and gives it back. */
  <T extends AutoCloseable> T add(T part) {
    parts.push(part);
    return part;
  }

  @Override
  public void close() {
    while (!parts.isEmpty()) {
      AutoCloseable part = parts.pop();
      try {
        part.close();
      } catch (Exception failure) {
        LOGGER
            .atError()
            .setCause(failure)
            .addKeyValue("part", part.getClass().getSimpleName())
            .log("Part did not close, going on with the others");
      }
    }
  }
}
