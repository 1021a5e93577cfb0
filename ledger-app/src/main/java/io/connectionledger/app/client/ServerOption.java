package io.connectionledger.app.client;

import io.connectionledger.app.cli.FailedException;
import io.connectionledger.app.tls.Trust;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Map;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which ledger is asked, and as whom. */
public final class ServerOption {

  private static final String TOKEN = "LEDGER_TOKEN";

  @Option(
      names = "--url",
      paramLabel = "URL",
      defaultValue = "http://127.0.0.1:8090",
      converter = UrlConverter.class,
      description = "The HTTP port of any instance (default: ${DEFAULT-VALUE}).")
  private URI url;

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      description = "Has the token to ask with; without it, $LEDGER_TOKEN is, if it is set.")
  private @Nullable Path tokenFile;

  @Option(
      names = "--ca-file",
      paramLabel = "FILE",
      description =
          "Has the authorities, in PEM, that an https URL is trusted by; else Java's own.")
  private @Nullable Path caFile;

  @SuppressWarnings("NullAway.Init") // picocli sets the field
  public ServerOption() {}

  /**
   * The ledger at that URL.
   *
   * @throws FailedException when there is no token where one is to be, or no certificate
   */
  public LedgerApi connect() throws FailedException {
    return new LedgerApi(
        url, token(tokenFile, System.getenv()), caFile == null ? null : trusting(caFile));
  }

  private static SSLSocketFactory trusting(Path authorities) throws FailedException {
    try {
      return Trust.only(Files.readAllBytes(authorities)).getSocketFactory();
    } catch (IOException | GeneralSecurityException unusable) {
      throw FailedException.wrongUsage(
              "--ca-file " + authorities + " cannot be used: allowed is a file with certificates")
          .by(unusable);
    }
  }

  /** Null where none is given. What is wrong never repeats the token. */
  static @Nullable String token(@Nullable Path file, Map<String, String> environment)
      throws FailedException {
    String written = file == null ? environment.getOrDefault(TOKEN, "") : text(file);
    String token = written.strip();
    if (token.isEmpty() && file == null) {
      return null;
    }
    if (token.isEmpty() || !token.chars().allMatch(c -> c > ' ' && c < 127)) {
      throw FailedException.wrongUsage(
          (file == null ? TOKEN : "--token-file " + file) + " has no token: allowed is one alone");
    }
    return token;
  }

  private static String text(Path file) throws FailedException {
    try {
      return Files.readString(file);
    } catch (IOException unreadable) {
      throw FailedException.wrongUsage(
              "--token-file " + file + " cannot be read: allowed is a file with one token")
          .by(unreadable);
    }
  }
}
