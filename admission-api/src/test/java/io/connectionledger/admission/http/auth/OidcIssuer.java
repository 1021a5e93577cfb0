package io.connectionledger.admission.http.auth;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** An OpenID Connect issuer on loopback: discovery, its keys, and tokens as a test wants them. */
public final class OidcIssuer implements AutoCloseable {

  public static final String AUDIENCE = "ledger";

  private final HttpServer server;
  public final AtomicInteger looksAtKeys = new AtomicInteger();
  public volatile RSAKey rsa = rsa("rsa-1");
  public final ECKey ec = ec();

  /** What discovery says instead; empty for the truth. */
  public volatile String named = "";

  public OidcIssuer() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    serve(
        "/.well-known/openid-configuration",
        () ->
            "{\"issuer\":\"%s\",\"jwks_uri\":\"%s/keys\"}"
                .formatted(named.isEmpty() ? url() : named, url()));
    serve(
        "/keys",
        () -> {
          looksAtKeys.incrementAndGet();
          return new JWKSet(List.<JWK>of(rsa, ec)).toString();
        });
    server.start();
  }

  @FunctionalInterface
  private interface Text {
    String now();
  }

  private void serve(String path, Text text) {
    server.createContext(
        path,
        exchange -> {
          try (exchange) {
            byte[] json = text.now().getBytes(UTF_8);
            exchange.getResponseHeaders().set("content-type", "application/json");
            exchange.sendResponseHeaders(200, json.length);
            exchange.getResponseBody().write(json);
          }
        });
  }

  public URI url() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  /** That callers of its tokens are to be asked for. */
  public AccessSettings.Jwt settings() {
    return new AccessSettings.Jwt(url(), AUDIENCE, AccessSettings.ROLES_CLAIM);
  }

  /** The claims of a good token with this role. */
  public JWTClaimsSet.Builder claims(Object roles) {
    return new JWTClaimsSet.Builder()
        .issuer(url().toString())
        .audience(AUDIENCE)
        .subject("alice")
        .claim("roles", roles)
        .expirationTime(Date.from(Instant.now().plusSeconds(600)));
  }

  /** A good token with this role. */
  public String token(Object roles) {
    return signed(claims(roles).build());
  }

  public String signed(JWTClaimsSet claims) {
    try {
      return signed(claims, JWSAlgorithm.RS256, rsa.getKeyID(), new RSASSASigner(rsa));
    } catch (JOSEException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  public String signedWithEc(JWTClaimsSet claims) throws JOSEException {
    return signed(claims, JWSAlgorithm.ES256, ec.getKeyID(), new ECDSASigner(ec));
  }

  /** With a public key as the shared secret: the old trick against careless verifiers. */
  public String signedWithPublicKey(JWTClaimsSet claims) throws JOSEException {
    byte[] secret = rsa.toPublicJWK().toJSONString().getBytes(UTF_8);
    return signed(claims, JWSAlgorithm.HS256, rsa.getKeyID(), new MACSigner(secret));
  }

  static String signed(JWTClaimsSet claims, JWSAlgorithm algorithm, String key, JWSSigner signer)
      throws JOSEException {
    SignedJWT jwt = new SignedJWT(new JWSHeader.Builder(algorithm).keyID(key).build(), claims);
    jwt.sign(signer);
    return jwt.serialize();
  }

  static RSAKey rsa(String id) {
    try {
      return new RSAKeyGenerator(2_048).keyID(id).generate();
    } catch (JOSEException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static ECKey ec() {
    try {
      return new ECKeyGenerator(Curve.P_256).keyID("ec-1").generate();
    } catch (JOSEException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
