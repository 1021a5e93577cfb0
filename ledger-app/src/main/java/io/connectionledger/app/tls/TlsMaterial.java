package io.connectionledger.app.tls;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.connectionledger.admission.http.port.HttpTls;
import io.connectionledger.app.config.LedgerConfig.Tls;
import io.connectionledger.app.config.StartupException;
import io.grpc.ChannelCredentials;
import io.grpc.ServerCredentials;
import io.grpc.TlsChannelCredentials;
import io.grpc.TlsServerCredentials;
import io.grpc.util.AdvancedTlsX509KeyManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Set;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The certificate of a port with its key, and the authorities whose certificates it takes from
 * callers. {@link #reload} has new handshakes use what the files say then; open connections stay as
 * they are. Thread-safe.
 */
public final class TlsMaterial {

  private static final Logger LOGGER = LoggerFactory.getLogger(TlsMaterial.class);

  private final String section;
  private final Tls files;
  private final AdvancedTlsX509KeyManager keys = new AdvancedTlsX509KeyManager();
  private final @Nullable Trust trust;
  private volatile Set<String> names = Set.of();
  private Contents read;

  /** What was wrong when it was last looked at; empty when nothing was. */
  private String wrong = "";

  /** What the files held, a character for each byte. */
  private record Contents(String certificate, String key, String authorities) {

    static Contents of(Tls files) throws UnusableFileException {
      Path ca = files.clientCa();
      return new Contents(text(files.certificate()), text(files.key()), ca == null ? "" : text(ca));
    }

    private static String text(Path file) throws UnusableFileException {
      try {
        return Files.readString(file, ISO_8859_1);
      } catch (IOException unreadable) {
        throw new UnusableFileException(file, unreadable);
      }
    }
  }

  /** A file that cannot be used, and why. */
  private static final class UnusableFileException extends Exception {
    private static final long serialVersionUID = 1;

    UnusableFileException(Path file, Exception why) {
      super(file + " cannot be used: " + why, why);
    }
  }

  private TlsMaterial(String section, Tls files) throws UnusableFileException {
    this.section = section;
    this.files = files;
    read = Contents.of(files);
    Path ca = files.clientCa();
    trust = ca == null ? null : trust(ca, read.authorities);
    use(read);
  }

  private Trust trust(Path ca, String pem) throws UnusableFileException {
    try {
      return new Trust(certificates(pem), () -> names);
    } catch (GeneralSecurityException wrong) {
      throw new UnusableFileException(ca, wrong);
    }
  }

  /**
   * Reads the files.
   *
   * @param section what messages call it: {@code tls} or {@code als.tls}, for example
   * @throws StartupException with one line that names the file that cannot be used
   */
  static TlsMaterial load(String section, Tls files) {
    try {
      return new TlsMaterial(section, files);
    } catch (UnusableFileException unusable) {
      throw new StartupException(
          section + ": " + unusable.getMessage() + ": allowed is a PEM file that fits the others",
          unusable);
    }
  }

  /**
   * Uses what the files say now; what they said before where they cannot be used, which is logged
   * once.
   *
   * @return false when they cannot be used, and that is news
   */
  synchronized boolean reload() {
    Contents now = read;
    try {
      now = Contents.of(files);
      if (!now.equals(read)) {
        use(now);
        LOGGER.atInfo().addKeyValue("tls", section).log("Certificates were read again");
      }
      wrong = "";
      return true;
    } catch (UnusableFileException unusable) {
      String reason = String.valueOf(unusable.getMessage());
      if (reason.equals(wrong)) {
        return true;
      }
      wrong = reason;
      LOGGER
          .atWarn()
          .addKeyValue("tls", section)
          .addKeyValue("reason", reason)
          .log("Changed certificates cannot be used, those before stay");
      return false;
    } finally {
      read = now;
    }
  }

  private static X509Certificate[] certificates(String pem) throws GeneralSecurityException {
    return Pem.certificates(pem.getBytes(ISO_8859_1));
  }

  private void use(Contents contents) throws UnusableFileException {
    Path culprit = files.certificate();
    try {
      X509Certificate[] chain = certificates(contents.certificate);
      culprit = files.key();
      PrivateKey key = Pem.key(contents.key.getBytes(ISO_8859_1), chain[0]);
      if (trust != null && files.clientCa() != null) {
        culprit = files.clientCa();
        trust.update(certificates(contents.authorities));
      }
      names = CertificateNames.of(chain[0]);
      keys.updateIdentityCredentials(chain, key);
    } catch (GeneralSecurityException wrong) {
      throw new UnusableFileException(culprit, wrong);
    }
  }

  /** For a port that others than instances reach. */
  public ServerCredentials server() {
    return server(files.clientAuth());
  }

  /** For the port of the instances, which know each other by their certificates. */
  public ServerCredentials peerServer() {
    return server(Tls.ClientAuth.REQUIRED);
  }

  private ServerCredentials server(Tls.ClientAuth clientAuth) {
    TlsServerCredentials.Builder credentials = TlsServerCredentials.newBuilder().keyManager(keys);
    if (trust != null) {
      credentials
          .trustManager(trust)
          .clientAuth(
              switch (clientAuth) {
                case NONE -> TlsServerCredentials.ClientAuth.NONE;
                case OPTIONAL -> TlsServerCredentials.ClientAuth.OPTIONAL;
                case REQUIRED -> TlsServerCredentials.ClientAuth.REQUIRE;
              });
    }
    return credentials.build();
  }

  /** Whether it can tell another instance from anybody else. */
  public boolean knowsInstances() {
    return trust != null;
  }

  /** Whether a certificate with these names is that of an instance of this ledger. */
  boolean isInstance(Set<String> others) {
    return trust != null && trust.isInstance(others);
  }

  /** For calls to other instances. */
  public ChannelCredentials peerClient() {
    return TlsChannelCredentials.newBuilder().keyManager(keys).trustManager(trust).build();
  }

  /** For the HTTP API. */
  public HttpTls http() {
    return new HttpTls(
        context(),
        files.clientAuth() != Tls.ClientAuth.NONE,
        files.clientAuth() == Tls.ClientAuth.REQUIRED);
  }

  private SSLContext context() {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(
          new KeyManager[] {keys}, trust == null ? null : new TrustManager[] {trust}, null);
      return context;
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("every JDK has TLS", impossible);
    }
  }
}
