package io.connectionledger.admission.http.port;

import javax.net.ssl.SSLContext;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.util.ssl.SslContextFactory;

/**
 * Encryption of the HTTP API.
 *
 * @param context may change its certificates while it is used
 * @param asksClient whether callers are asked for a certificate
 * @param needsClient whether those without one are refused
 */
public record HttpTls(SSLContext context, boolean asksClient, boolean needsClient) {

  /** What speaks TLS before HTTP. */
  SslConnectionFactory before(HttpConfiguration http, String protocol) {
    // Which names it is reached by says BrowserRules, whatever the certificate has.
    http.addCustomizer(new SecureRequestCustomizer(false));
    SslContextFactory.Server server = new SslContextFactory.Server();
    server.setSslContext(context);
    server.setWantClientAuth(asksClient);
    server.setNeedClientAuth(needsClient);
    return new SslConnectionFactory(server, protocol);
  }
}
