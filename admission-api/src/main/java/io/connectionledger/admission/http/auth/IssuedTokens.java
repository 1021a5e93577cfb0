package io.connectionledger.admission.http.auth;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.KeySourceException;
import com.nimbusds.jose.RemoteKeySourceException;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.util.DefaultResourceRetriever;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import io.connectionledger.model.Ticker;
import java.io.IOException;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Date;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tokens of an OpenID Connect issuer: signed with one of its keys, by it, for us, and not
 * expired. Its keys are found when the first token comes, and again when they are old or a token
 * names another. Thread-safe.
 */
final class IssuedTokens {

  private static final Logger LOGGER = LoggerFactory.getLogger(IssuedTokens.class);

  /** By which the issuer's clock may differ from ours. */
  static final Duration MAX_CLOCK_SKEW = Duration.ofSeconds(60);

  private static final Duration KEYS_KEPT = Duration.ofMinutes(5);
  private static final Duration KEYS_WITHOUT_ISSUER = Duration.ofHours(4);

  /** However many tokens name a key that the issuer has not, it is not asked more often. */
  private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(10);

  private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(2);
  private static final int MAX_ANSWER_BYTES = 256 << 10;

  /** Signatures alone: with none of these can a public key be taken for a shared one. */
  private static final Set<JWSAlgorithm> ALGORITHMS =
      Set.of(
          JWSAlgorithm.RS256,
          JWSAlgorithm.RS384,
          JWSAlgorithm.RS512,
          JWSAlgorithm.ES256,
          JWSAlgorithm.ES384,
          JWSAlgorithm.ES512);

  private final AccessSettings.Jwt settings;
  private final Ticker ticker;
  private final DefaultResourceRetriever issuer =
      new DefaultResourceRetriever(
          (int) REQUEST_TIMEOUT.toMillis(), (int) REQUEST_TIMEOUT.toMillis(), MAX_ANSWER_BYTES);

  /** Guarded by this object, as the next. */
  private @Nullable DefaultJWTProcessor<SecurityContext> processor;

  private long askAgainNanos = Long.MIN_VALUE;

  IssuedTokens(AccessSettings.Jwt settings, Ticker ticker) {
    this.settings = settings;
    this.ticker = ticker;
  }

  /** Whether it looks like one: three parts with dots between. */
  static boolean isOne(String token) {
    return token.chars().filter(c -> c == '.').count() == 2;
  }

  /** Whose token it is. May wait for the issuer, for some seconds. */
  Caller caller(String token) throws AccessRefusedException {
    DefaultJWTProcessor<SecurityContext> judge = processor();
    try {
      JWTClaimsSet claims = judge.process(token, null);
      return new Caller(
          "jwt:" + Objects.requireNonNullElse(claims.getSubject(), "without a subject"),
          role(claims));
    } catch (BadJOSEException | ParseException wrong) {
      throw refused(AccessRefusedException.of(why(wrong)), wrong);
    } catch (RemoteKeySourceException away) {
      LOGGER.atWarn().addKeyValue("failure", away.toString()).log("The issuer's keys are away");
      throw refused(AccessRefusedException.unknown("the issuer's keys cannot be read now"), away);
    } catch (KeySourceException noKey) {
      throw refused(AccessRefusedException.of("no key of the issuer fits the token"), noKey);
    } catch (JOSEException wrong) {
      throw refused(AccessRefusedException.of("the token cannot be read"), wrong);
    }
  }

  private static AccessRefusedException refused(AccessRefusedException refusal, Exception cause) {
    refusal.initCause(cause);
    return refusal;
  }

  /** What the library says of a token names what is expected, but never the token. */
  private static String why(Exception wrong) {
    return "the token is not taken: " + wrong.getMessage();
  }

  private synchronized DefaultJWTProcessor<SecurityContext> processor()
      throws AccessRefusedException {
    DefaultJWTProcessor<SecurityContext> known = processor;
    if (known != null) {
      return known;
    }
    if (ticker.nowNanos() >= askAgainNanos) {
      try {
        known = discovered();
        processor = known;
        return known;
      } catch (IOException | ParseException failed) {
        askAgainNanos = ticker.nowNanos() + BETWEEN_LOOKS.toNanos();
        LOGGER
            .atWarn()
            .addKeyValue("issuer", settings.issuer())
            .addKeyValue("failure", failed.toString())
            .log("The issuer of tokens cannot be asked for its keys");
      }
    }
    throw AccessRefusedException.unknown("the issuer of tokens cannot be asked for its keys now");
  }

  private DefaultJWTProcessor<SecurityContext> discovered() throws IOException, ParseException {
    IssuerDescription found = IssuerDescription.of(settings.issuer(), issuer);
    JWKSource<SecurityContext> keys =
        JWKSourceBuilder.<SecurityContext>create(found.keys(), issuer)
            .cache(KEYS_KEPT.toMillis(), 2 * REQUEST_TIMEOUT.toMillis())
            .refreshAheadCache(false)
            .rateLimited(BETWEEN_LOOKS.toMillis())
            .outageTolerant(KEYS_WITHOUT_ISSUER.toMillis())
            .build();
    DefaultJWTProcessor<SecurityContext> judge = new DefaultJWTProcessor<>();
    judge.setJWSKeySelector(new JWSVerificationKeySelector<>(ALGORITHMS, keys));
    judge.setJWSTypeVerifier(
        new DefaultJOSEObjectTypeVerifier<>(
            JOSEObjectType.JWT, new JOSEObjectType("at+jwt"), null));
    judge.setJWTClaimsSetVerifier(new Claims(settings, ticker));
    return judge;
  }

  /** The highest of the roles that stand there; null when none does. */
  private @Nullable HttpRole role(JWTClaimsSet claims) {
    return roles(claims.getClaims(), settings.rolesClaim())
        .flatMap(name -> HttpRole.of(name).stream())
        .max(HttpRole::compareTo)
        .orElse(null);
  }

  private static Stream<String> roles(Map<?, ?> claims, String name) {
    Object value = claims.get(name);
    int dot = name.indexOf('.');
    if (value == null && dot > 0 && claims.get(name.substring(0, dot)) instanceof Map<?, ?> inner) {
      return roles(inner, name.substring(dot + 1));
    }
    if (value instanceof Collection<?> several) {
      return several.stream().filter(String.class::isInstance).map(String.class::cast);
    }
    return value instanceof String one ? Stream.of(one) : Stream.empty();
  }

  private static final class Claims extends DefaultJWTClaimsVerifier<SecurityContext> {

    private final Ticker ticker;

    Claims(AccessSettings.Jwt settings, Ticker ticker) {
      super(
          settings.audience(),
          new JWTClaimsSet.Builder().issuer(settings.issuer().toString()).build(),
          Set.of("exp"));
      setMaxClockSkew((int) MAX_CLOCK_SKEW.toSeconds());
      this.ticker = ticker;
    }

    @Override
    protected Date currentTime() {
      return Date.from(Instant.ofEpochMilli(ticker.nowMs()));
    }
  }
}
