package io.connectionledger.app.tls;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayInputStream;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads PEM. */
final class Pem {

  private static final Pattern KEY =
      Pattern.compile("-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\\s]+)-----END PRIVATE KEY-----");

  private Pem() {}

  /**
   * The certificates, in their order.
   *
   * @throws GeneralSecurityException when there is none
   */
  static X509Certificate[] certificates(byte[] pem) throws GeneralSecurityException {
    List<X509Certificate> all =
        CertificateFactory.getInstance("X.509")
            .generateCertificates(new ByteArrayInputStream(pem))
            .stream()
            .map(X509Certificate.class::cast)
            .toList();
    if (all.isEmpty()) {
      throw new GeneralSecurityException("no certificate in it");
    }
    return all.toArray(X509Certificate[]::new);
  }

  /**
   * The private key that belongs to {@code certificate}.
   *
   * @throws GeneralSecurityException when there is none, or that of another
   */
  static PrivateKey key(byte[] pem, X509Certificate certificate) throws GeneralSecurityException {
    Matcher found = KEY.matcher(new String(pem, US_ASCII));
    if (!found.find()) {
      throw new GeneralSecurityException("no 'BEGIN PRIVATE KEY' in it (PKCS#8, not encrypted)");
    }
    PublicKey publicKey = certificate.getPublicKey();
    byte[] der;
    try {
      der = Base64.getMimeDecoder().decode(found.group(1));
    } catch (IllegalArgumentException damaged) {
      throw new GeneralSecurityException("its key is no Base64", damaged);
    }
    PrivateKey key =
        KeyFactory.getInstance(publicKey.getAlgorithm())
            .generatePrivate(new PKCS8EncodedKeySpec(der));
    Signature proof = Signature.getInstance(signature(publicKey.getAlgorithm()));
    proof.initSign(key);
    byte[] signed = proof.sign();
    proof.initVerify(publicKey);
    if (!proof.verify(signed)) {
      throw new GeneralSecurityException("it is the key of another certificate");
    }
    return key;
  }

  private static String signature(String keyAlgorithm) {
    return switch (keyAlgorithm) {
      case "RSA" -> "SHA256withRSA";
      case "EC" -> "SHA256withECDSA";
      default -> keyAlgorithm;
    };
  }
}
