package io.connectionledger.app.tls;

import io.grpc.Grpc;
import io.grpc.ServerCall;
import java.security.cert.Certificate;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/**
 * The names that a certificate is for: its subject alternative names that are DNS names or URIs.
 */
final class CertificateNames {

  // RFC 5280, 4.2.1.6.
  private static final int DNS = 2;
  private static final int URI = 6;

  private CertificateNames() {}

  /** None when they cannot be read. */
  static Set<String> of(X509Certificate certificate) {
    Set<String> names = new TreeSet<>();
    try {
      Collection<List<?>> all = certificate.getSubjectAlternativeNames();
      if (all != null) {
        for (List<?> name : all) {
          if (name.getFirst().equals(DNS) || name.getFirst().equals(URI)) {
            names.add(String.valueOf(name.getLast()));
          }
        }
      }
    } catch (CertificateParsingException unreadable) {
      return Set.of();
    }
    return names;
  }

  /** Those of a caller; none when it has shown no certificate. */
  static Set<String> of(ServerCall<?, ?> call) {
    SSLSession session = call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION);
    if (session == null) {
      return Set.of();
    }
    try {
      Certificate[] chain = session.getPeerCertificates();
      return chain[0] instanceof X509Certificate own ? of(own) : Set.of();
    } catch (SSLPeerUnverifiedException none) {
      return Set.of();
    }
  }
}
