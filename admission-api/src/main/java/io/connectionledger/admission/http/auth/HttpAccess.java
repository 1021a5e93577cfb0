package io.connectionledger.admission.http.auth;

import io.connectionledger.model.Ticker;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Tells by a request's token who asks. Thread-safe. */
public final class HttpAccess implements AutoCloseable {

  private final AccessSettings settings;
  private final @Nullable TokenFile file;
  private final @Nullable IssuedTokens issued;

  private HttpAccess(
      AccessSettings settings, @Nullable TokenFile file, @Nullable IssuedTokens issued) {
    this.settings = settings;
    this.file = file;
    this.issued = issued;
  }

  /** Everybody may everything. */
  public static HttpAccess open() {
    return new HttpAccess(AccessSettings.OPEN, null, null);
  }

  /**
   * Reads the tokens' file, and follows it from then on. The issuer is asked when its first token
   * comes.
   *
   * @param registry counts what of the file could not be used
   * @throws java.io.UncheckedIOException with one line when the file cannot be used
   */
  public static HttpAccess of(AccessSettings settings, Ticker ticker, MeterRegistry registry) {
    return new HttpAccess(
        settings,
        settings.tokensFile() == null ? null : TokenFile.follow(settings.tokensFile(), registry),
        settings.jwt() == null ? null : new IssuedTokens(settings.jwt(), ticker));
  }

  /** Whether a caller has to prove anything. */
  public boolean isRequired() {
    return settings.isRequired();
  }

  /** Whether metrics are for everybody. */
  public boolean hasOpenMetrics() {
    return !isRequired() || settings.openMetrics();
  }

  /**
   * Who asks, without waiting.
   *
   * @param authorization the header of this name
   * @return empty when that may take longer: {@link #issued} knows
   */
  public Optional<Caller> known(@Nullable String authorization) throws AccessRefusedException {
    if (!isRequired()) {
      return Optional.of(Caller.ANYBODY);
    }
    String token = Bearer.token(authorization);
    Optional<Caller> caller = file == null ? Optional.empty() : file.find(token);
    if (caller.isEmpty() && (issued == null || !IssuedTokens.isOne(token))) {
      throw AccessRefusedException.of("the token is not one that is known here");
    }
    return caller;
  }

  /** Who asks with a token of the issuer, which may have to be asked for its keys. */
  public Caller issued(@Nullable String authorization) throws AccessRefusedException {
    String token = Bearer.token(authorization);
    if (issued == null) {
      throw AccessRefusedException.of("the token is not one that is known here");
    }
    return issued.caller(token);
  }

  /** No longer follows the file. */
  @Override
  public void close() {
    if (file != null) {
      file.close();
    }
  }
}
