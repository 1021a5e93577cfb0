package io.connectionledger.admission.http.auth;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tokens of a file that is read again every second, as a mounted Secret is replaced by swapping
 * a link above it. What two readings in a row agree on is taken; what cannot be used is logged and
 * counted once, and the tokens stay. Thread-safe.
 */
final class TokenFile implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(TokenFile.class);
  private static final long LOOK_MS = 500;

  private final Path file;
  private final Counter refused;
  private final ScheduledThreadPoolExecutor thread =
      new ScheduledThreadPoolExecutor(
          1, Thread.ofPlatform().daemon().name("http-tokens").factory());
  private volatile StaticTokens tokens;

  /** The thread's own, as the next: what the last two looks found. */
  private String seen;

  private String judged;

  private TokenFile(Path file, String text, StaticTokens tokens, MeterRegistry registry) {
    this.file = file;
    this.seen = text;
    this.judged = text;
    this.tokens = tokens;
    this.refused =
        Counter.builder("ledger.token.file.refused")
            .description("Contents of the file of tokens that could not be used")
            .register(registry);
  }

  /**
   * Reads the file and follows it.
   *
   * @throws UncheckedIOException with one line when it cannot be used
   */
  static TokenFile follow(Path file, MeterRegistry registry) {
    try {
      String text = Files.readString(file);
      TokenFile followed =
          new TokenFile(file, text, StaticTokens.parse(text, name(file)), registry);
      var unused =
          followed.thread.scheduleWithFixedDelay(
              followed::look, LOOK_MS, LOOK_MS, TimeUnit.MILLISECONDS);
      return followed;
    } catch (IOException unreadable) {
      throw new UncheckedIOException(name(file) + " " + reason(unreadable), unreadable);
    } catch (IllegalArgumentException wrong) {
      throw new UncheckedIOException(
          String.valueOf(wrong.getMessage()), new IOException(wrong.getMessage(), wrong));
    }
  }

  private static String name(Path file) {
    return "http.auth.tokens-file " + file;
  }

  private static String reason(IOException unreadable) {
    return switch (unreadable) {
      case NoSuchFileException missing -> "does not exist";
      case CharacterCodingException binary -> "is not UTF-8 text";
      default -> "cannot be read: " + unreadable.getMessage();
    };
  }

  Optional<Caller> find(String token) {
    return tokens.find(token);
  }

  private void look() {
    String now;
    String failure = "";
    try {
      now = Files.readString(file);
    } catch (IOException unreadable) {
      failure = name(file) + " " + reason(unreadable);
      now = failure;
    }
    boolean settled = now.equals(seen);
    seen = now;
    if (settled && !now.equals(judged)) {
      judged = now;
      judge(now, failure);
    }
  }

  private void judge(String text, String failure) {
    try {
      if (!failure.isEmpty()) {
        throw new IllegalArgumentException(failure);
      }
      tokens = StaticTokens.parse(text, name(file));
      LOGGER
          .atInfo()
          .addKeyValue("file", file)
          .addKeyValue("tokens", tokens.size())
          .log("The tokens of the HTTP API changed");
    } catch (IllegalArgumentException wrong) {
      refused.increment();
      LOGGER
          .atWarn()
          .addKeyValue("reason", wrong.getMessage())
          .log("The file of tokens cannot be used, the tokens stay as they are");
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
