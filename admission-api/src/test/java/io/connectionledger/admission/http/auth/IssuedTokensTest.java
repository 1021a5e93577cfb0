package io.connectionledger.admission.http.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import io.connectionledger.model.Ticker;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class IssuedTokensTest {

  private final OidcIssuer issuer = new OidcIssuer();
  private long laterNanos;
  private final Ticker system = Ticker.system();
  private final Ticker ticker = () -> system.nowNanos() + laterNanos;
  private final IssuedTokens tokens = new IssuedTokens(issuer.settings(), ticker);

  IssuedTokensTest() throws Exception {}

  @AfterEach
  void stop() {
    issuer.close();
  }

  @Test
  void shouldTakeTheHighestRoleOfAListAndTheOneOfAString() throws Exception {
    assertThat(tokens.caller(issuer.token(List.of("read", "operate", "other"))))
        .isEqualTo(new Caller("jwt:alice", HttpRole.OPERATE));
    assertThat(tokens.caller(issuer.token("admin")).role()).isEqualTo(HttpRole.ADMIN);
    assertThat(tokens.caller(issuer.token(List.of("Admin", 7))).role()).isNull();
    assertThat(tokens.caller(issuer.signedWithEc(issuer.claims("read").build())).role())
        .isEqualTo(HttpRole.READ);
    assertThat(issuer.looksAtKeys).hasValue(1);
  }

  @Test
  void shouldFindRolesInAClaimWithinAnother() throws Exception {
    IssuedTokens inner =
        new IssuedTokens(
            new AccessSettings.Jwt(issuer.url(), OidcIssuer.AUDIENCE, "realm_access.roles"),
            ticker);
    JWTClaimsSet claims =
        issuer.claims("admin").claim("realm_access", Map.of("roles", List.of("read"))).build();

    assertThat(inner.caller(issuer.signed(claims)).role()).isEqualTo(HttpRole.READ);
  }

  @Test
  void shouldRefuseWhatIsNotForUsNotNowOrNotByTheIssuer() throws Exception {
    Instant now = Instant.now();
    refuses(issuer.signed(issuer.claims("admin").audience("another").build()), "aud");
    refuses(issuer.signed(issuer.claims("admin").issuer("https://else.example").build()), "iss");
    refuses(
        issuer.signed(
            issuer.claims("admin").expirationTime(Date.from(now.minusSeconds(120))).build()),
        "Expired");
    refuses(issuer.signed(issuer.claims("admin").expirationTime(null).build()), "exp");
    refuses(
        issuer.signed(
            issuer.claims("admin").notBeforeTime(Date.from(now.plusSeconds(120))).build()),
        "before");
    refuses(issuer.signedWithPublicKey(issuer.claims("admin").build()), "not taken");
    refuses(new PlainJWT(issuer.claims("admin").build()).serialize(), "not taken");
    refuses(
        OidcIssuer.signed(
            issuer.claims("admin").build(),
            JWSAlgorithm.RS256,
            issuer.rsa.getKeyID(),
            new RSASSASigner(OidcIssuer.rsa("rsa-1"))),
        "not taken");
    refuses("a.b.c", "not taken");
  }

  @Test
  void shouldBearAClockThatDiffersByLessThanAMinute() throws Exception {
    String token =
        issuer.signed(
            issuer
                .claims("read")
                .expirationTime(Date.from(Instant.now().minusSeconds(30)))
                .build());

    assertThat(tokens.caller(token).role()).isEqualTo(HttpRole.READ);
    laterNanos = Duration.ofSeconds(60).toNanos();
    refuses(token, "Expired");
  }

  @Test
  void shouldFollowANewKeyAndAskNoMoreOftenThanItMay() throws Exception {
    assertThat(tokens.caller(issuer.token("read")).role()).isEqualTo(HttpRole.READ);
    issuer.rsa = OidcIssuer.rsa("rsa-2");

    assertThat(tokens.caller(issuer.token("read")).role()).isEqualTo(HttpRole.READ);
    int looks = issuer.looksAtKeys.get();
    issuer.rsa = OidcIssuer.rsa("rsa-3");
    for (int i = 0; i < 20; i++) {
      assertThatThrownBy(() -> tokens.caller(issuer.token("read")))
          .isInstanceOf(AccessRefusedException.class);
    }
    assertThat(issuer.looksAtKeys.get() - looks).isLessThanOrEqualTo(1);
  }

  @Test
  void shouldSayThatTheIssuerIsAwayAndAskAgainLater() throws Exception {
    issuer.named = "https://else.example";
    assertThatThrownBy(() -> tokens.caller(issuer.token("read")))
        .isInstanceOfSatisfying(
            AccessRefusedException.class, refused -> assertThat(refused.isOurs()).isTrue());
    issuer.named = "";
    assertThatThrownBy(() -> tokens.caller(issuer.token("read")))
        .isInstanceOf(AccessRefusedException.class);
    laterNanos = Duration.ofSeconds(11).toNanos();

    assertThat(tokens.caller(issuer.token("read")).role()).isEqualTo(HttpRole.READ);
  }

  private void refuses(String token, String why) {
    assertThatThrownBy(() -> tokens.caller(token))
        .isInstanceOfSatisfying(
            AccessRefusedException.class,
            refused -> {
              assertThat(refused.isOurs()).isFalse();
              assertThat(refused.getMessage()).contains(why).doesNotContain(token);
            });
  }
}
