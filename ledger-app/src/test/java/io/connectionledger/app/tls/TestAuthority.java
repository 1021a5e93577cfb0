package io.connectionledger.app.tls;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.jspecify.annotations.Nullable;

/** A certificate authority of a test. */
public final class TestAuthority {

  private static final AtomicLong SERIAL = new AtomicLong(1);

  private final X500Principal name;
  private final KeyPair keys = keys();
  private final X509Certificate certificate;

  public TestAuthority(String name) {
    this.name = new X500Principal("CN=" + name);
    certificate = sign(this.name, keys, null);
  }

  /**
   * A folder as a secret of cert-manager's has it: tls.crt, tls.key and ca.crt, with names that are
   * URIs where they have a scheme, DNS names or IPv4 addresses.
   */
  public Path issue(Path folder, String... names) {
    trust(folder.resolve("ca.crt"), this);
    return certify(folder, names);
  }

  /** {@link #issue} without a word about whom to trust. */
  public Path certify(Path folder, String... names) {
    KeyPair own = keys();
    GeneralName[] all =
        Arrays.stream(names).map(TestAuthority::generalName).toArray(GeneralName[]::new);
    X509Certificate issued = sign(new X500Principal("CN=" + names[0]), own, new GeneralNames(all));
    write(folder.resolve("tls.key"), pem("PRIVATE KEY", own.getPrivate().getEncoded()));
    write(folder.resolve("tls.crt"), pem(issued));
    return folder;
  }

  /** Has whoever reads {@code file} trust these authorities, and no other. */
  public static void trust(Path file, TestAuthority... authorities) {
    write(
        file,
        Arrays.stream(authorities)
            .map(each -> pem(each.certificate))
            .collect(Collectors.joining()));
  }

  private static GeneralName generalName(String name) {
    int type =
        name.contains("://")
            ? GeneralName.uniformResourceIdentifier
            : name.matches("[0-9.]+") ? GeneralName.iPAddress : GeneralName.dNSName;
    return new GeneralName(type, name);
  }

  /** As those who replace certificates do: there is never half a file. */
  private static void write(Path file, String pem) {
    try {
      Files.createDirectories(file.getParent());
      Path whole = Files.writeString(file.resolveSibling("." + file.getFileName()), pem);
      Files.move(whole, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private static String pem(X509Certificate certificate) {
    try {
      return pem("CERTIFICATE", certificate.getEncoded());
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static String pem(String what, byte[] der) {
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
        .formatted(
            what,
            Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII)).encodeToString(der),
            what);
  }

  private static KeyPair keys() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(256);
      return generator.generateKeyPair();
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private X509Certificate sign(X500Principal subject, KeyPair of, @Nullable GeneralNames names) {
    Instant now = Instant.now();
    JcaX509v3CertificateBuilder builder =
        new JcaX509v3CertificateBuilder(
            name,
            BigInteger.valueOf(SERIAL.getAndIncrement()),
            Date.from(now.minus(1, ChronoUnit.HOURS)),
            Date.from(now.plus(1, ChronoUnit.DAYS)),
            subject,
            of.getPublic());
    try {
      if (names == null) {
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
      } else {
        builder.addExtension(Extension.subjectAlternativeName, false, names);
      }
      return new JcaX509CertificateConverter()
          .getCertificate(
              builder.build(
                  new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate())));
    } catch (GeneralSecurityException | IOException | OperatorCreationException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
