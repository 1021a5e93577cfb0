package io.connectionledger.admission.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.connectionledger.admission.http.auth.AccessSettings;
import io.connectionledger.admission.http.auth.HttpAccess;
import io.connectionledger.admission.http.auth.OidcIssuer;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.testkit.PolicyFixtures;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Every operation of the description × every kind of caller: exactly the allowed pairs pass. */
@Timeout(120)
final class RoleMatrixIT {

  private static final String POD = "10.0.0.1:80";
  private static final List<String> ROLES = List.of("read", "operate", "admin");

  @TempDir Path directory;

  private final HttpClient client = HttpClient.newHttpClient();
  private final TestServer test = new TestServer();
  private final Map<String, String> callers = new LinkedHashMap<>();
  private OidcIssuer issuer;
  private HttpAccess access;

  @BeforeEach
  void start() throws Exception {
    issuer = new OidcIssuer();
    StringBuilder lines = new StringBuilder();
    for (String role : ROLES) {
      String token = "token-of-" + role + "-0123456789";
      lines.append(token).append(' ').append(role).append('\n');
      callers.put(role, token);
      callers.put(role + " by jwt", issuer.token(List.of(role)));
    }
    callers.put("no token", "");
    callers.put("wrong token", "wrong-token-0123456789");
    callers.put("jwt without a role", issuer.token(List.of()));
    callers.put(
        "expired jwt",
        issuer.signed(
            issuer
                .claims("admin")
                .expirationTime(Date.from(Instant.now().minusSeconds(3_600)))
                .build()));
    callers.put(
        "jwt for another audience", issuer.signed(issuer.claims("admin").audience("x").build()));
    callers.put(
        "jwt signed with a public key", issuer.signedWithPublicKey(issuer.claims("admin").build()));
    Path file = Files.writeString(directory.resolve("tokens"), lines);
    access =
        HttpAccess.of(
            new AccessSettings(file, issuer.settings(), true),
            Ticker.system(),
            new SimpleMeterRegistry());
    test.access = access;
    test.ledger.pools.add("chat");
    PoolPolicy policy =
        PolicyFixtures.unlimited(
            "chat",
            3,
            PoolPolicy.OnOwnerLoss.SHARE,
            List.of(new Pod("one", PodAddress.parse(POD))));
    test.policies.records.put("chat", PolicyRecord.ofBase(policy, Set.of(), 1));
  }

  @AfterEach
  void stop() {
    client.shutdownNow();
    access.close();
    issuer.close();
  }

  @Test
  void shouldLetExactlyTheAllowedPairsPass() throws Exception {
    try (QueryServer server = test.start()) {
      JsonNode paths =
          new ObjectMapper()
              .readTree(send(server, "GET", "/openapi.json", "").body())
              .path("paths");
      Map<String, String> wrong = new TreeMap<>();
      int pairs = 0;
      for (Map.Entry<String, JsonNode> path : paths.properties()) {
        for (Map.Entry<String, JsonNode> operation : path.getValue().properties()) {
          String method = operation.getKey().toUpperCase(Locale.ROOT);
          if (!operation.getValue().has("responses")) {
            continue;
          }
          // Not to say it is to forget it.
          assertThat(operation.getValue().path("security").isArray())
              .as("%s %s has security", method, path.getKey())
              .isTrue();
          String needed = operation.getValue().at("/security/0/bearer/0").asText("nobody");
          for (Map.Entry<String, String> caller : callers.entrySet()) {
            pairs++;
            HttpResponse<String> answer =
                send(server, method, actual(path.getKey()), caller.getValue());
            String expected = expected(needed, caller.getKey());
            if (!expected.equals(outcome(answer))) {
              wrong.put(
                  method + " " + path.getKey() + " by " + caller.getKey(),
                  expected + " but " + answer.statusCode() + " " + answer.body());
            }
          }
        }
      }
      assertThat(wrong).isEmpty();
      assertThat(pairs).isGreaterThan(200);
      assertThat(test.refused("unauthorized")).isPositive();
      assertThat(test.refused("forbidden")).isPositive();
    }
  }

  /** What the description must say of each operation, for whoever reads only that. */
  private static String expected(String needed, String caller) {
    if (needed.equals("nobody")) {
      return "passes";
    }
    String role = caller.replace(" by jwt", "");
    if (ROLES.contains(role)) {
      return ROLES.indexOf(role) >= ROLES.indexOf(needed) ? "passes" : "403";
    }
    return caller.equals("jwt without a role") ? "403" : "401";
  }

  private static String outcome(HttpResponse<String> answer) {
    int status = answer.statusCode();
    if (status != 401 && status != 403) {
      return "passes";
    }
    boolean told =
        answer.headers().firstValue("content-type").orElse("").equals("application/problem+json")
            && (status == 403
                || answer.headers().firstValue("www-authenticate").orElse("").equals("Bearer"));
    return told ? Integer.toString(status) : status + " untold";
  }

  private static String actual(String path) {
    // An answer that would never end is not needed to know that the caller may have it.
    return path.replace("{pool}", path.endsWith("/stream") ? "nope" : "chat")
        .replace("{address}", POD)
        .replace("{id}", "AZqnm2lYAAAB3kQx");
  }

  @Test
  void shouldKeepTheMetricsForWhoMayReadWhenToldSo() throws Exception {
    try (HttpAccess closed =
        HttpAccess.of(
            new AccessSettings(directory.resolve("tokens"), null, false),
            Ticker.system(),
            new SimpleMeterRegistry())) {
      test.access = closed;
      try (QueryServer server = test.start()) {
        assertThat(send(server, "GET", "/metrics", "").statusCode()).isEqualTo(401);
        assertThat(send(server, "GET", "/health/live", "").statusCode()).isEqualTo(200);
        assertThat(send(server, "GET", "/metrics", "token-of-read-0123456789").statusCode())
            .isEqualTo(200);
        assertThat(send(server, "GET", "/v1/pools", issuer.token("admin")).statusCode())
            .isEqualTo(401);
      }
    }
  }

  private HttpResponse<String> send(QueryServer server, String method, String path, String token)
      throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
            .method(method, HttpRequest.BodyPublishers.noBody());
    if (!token.isEmpty()) {
      request.header("authorization", "Bearer " + token);
    }
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }
}
