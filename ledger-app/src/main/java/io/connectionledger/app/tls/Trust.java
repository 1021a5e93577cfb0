package io.connectionledger.app.tls;

import java.io.IOException;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Collections;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * Believes what the certificate authorities of a file have signed, which may change. Another
 * instance is known by a name that its certificate shares with ours and not by its address, which
 * no certificate has. Thread-safe.
 */
public final class Trust extends X509ExtendedTrustManager {

  private final Supplier<Set<String>> ourNames;
  private volatile X509TrustManager authorities;

  /**
   * For certificates of {@code authorities}.
   *
   * @param ourNames of our certificate
   */
  Trust(X509Certificate[] authorities, Supplier<Set<String>> ourNames)
      throws GeneralSecurityException {
    this.ourNames = ourNames;
    this.authorities = manager(authorities);
  }

  /**
   * For a client that believes these authorities, and the names in certificates.
   *
   * @throws GeneralSecurityException when {@code pem} has no certificate
   */
  public static SSLContext only(byte[] pem) throws GeneralSecurityException {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {manager(Pem.certificates(pem))}, null);
    return context;
  }

  void update(X509Certificate[] others) throws GeneralSecurityException {
    authorities = manager(others);
  }

  private static X509TrustManager manager(X509Certificate[] authorities)
      throws GeneralSecurityException {
    try {
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      for (int i = 0; i < authorities.length; i++) {
        store.setCertificateEntry("ca-" + i, authorities[i]);
      }
      TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
      factory.init(store);
      for (TrustManager manager : factory.getTrustManagers()) {
        if (manager instanceof X509TrustManager ours) {
          return ours;
        }
      }
      throw new GeneralSecurityException("no PKIX trust manager");
    } catch (IOException impossible) {
      throw new GeneralSecurityException("an empty key store does not load", impossible);
    }
  }

  /** Whether a certificate with these names is that of an instance of this ledger. */
  boolean isInstance(Set<String> names) {
    Set<String> ours = new TreeSet<>(ourNames.get());
    // Anybody's certificate may have it.
    ours.remove("localhost");
    return !Collections.disjoint(names, ours);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
    authorities.checkClientTrusted(chain, type);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
      throws CertificateException {
    checkClientTrusted(chain, type);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
      throws CertificateException {
    checkClientTrusted(chain, type);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
    authorities.checkServerTrusted(chain, type);
    if (!isInstance(CertificateNames.of(chain[0]))) {
      throw new CertificateException("its certificate has no name of ours, " + ourNames.get());
    }
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
      throws CertificateException {
    checkServerTrusted(chain, type);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
      throws CertificateException {
    checkServerTrusted(chain, type);
  }

  /**
   * None, which is any: gRPC tells clients what it was told when it started, and one that heeds
   * that would not show a certificate of an authority that came later.
   */
  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return new X509Certificate[0];
  }
}
