package io.connectionledger.app.client;

import java.net.URI;
import picocli.CommandLine.Option;

/** Which ledger is asked. */
public final class ServerOption {

  @Option(
      names = "--url",
      paramLabel = "URL",
      defaultValue = "http://127.0.0.1:8090",
      converter = UrlConverter.class,
      description = "The HTTP port of any instance (default: ${DEFAULT-VALUE}).")
  private URI url;

  @SuppressWarnings("NullAway.Init") // picocli sets the field
  public ServerOption() {}

  /** The ledger at that URL. */
  public LedgerApi connect() {
    return new LedgerApi(url);
  }
}
