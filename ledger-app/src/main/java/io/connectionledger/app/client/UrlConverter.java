package io.connectionledger.app.client;

import java.net.URI;
import java.net.URISyntaxException;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads where a server is; {@code http://} may be left out. */
public final class UrlConverter implements ITypeConverter<URI> {

  @Override
  public URI convert(String written) {
    try {
      URI url = new URI(written.contains("://") ? written : "http://" + written);
      boolean known = "http".equals(url.getScheme()) || "https".equals(url.getScheme());
      if (known && url.getHost() != null && url.getQuery() == null && url.getFragment() == null) {
        return url;
      }
    } catch (URISyntaxException invalid) {
      throw refusal(written);
    }
    throw refusal(written);
  }

  private static TypeConversionException refusal(String written) {
    return new TypeConversionException(
        "'" + written + "': allowed is http://HOST:PORT or https://HOST:PORT");
  }
}
