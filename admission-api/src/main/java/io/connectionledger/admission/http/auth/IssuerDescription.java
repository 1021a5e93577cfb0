package io.connectionledger.admission.http.auth;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.nimbusds.jose.util.ResourceRetriever;
import java.io.IOException;
import java.net.URI;
import java.net.URL;

/**
 * What an OpenID Connect issuer says of itself.
 *
 * @param keys where its public keys are
 */
record IssuerDescription(URL keys) {

  private static final String WELL_KNOWN = "/.well-known/openid-configuration";
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * Asks it.
   *
   * @throws IOException when it does not answer, or with what another issuer would say
   */
  static IssuerDescription of(URI issuer, ResourceRetriever http) throws IOException {
    String name = issuer.toString();
    String base = name.endsWith("/") ? name.substring(0, name.length() - 1) : name;
    JsonNode said =
        JSON.readTree(http.retrieveResource(URI.create(base + WELL_KNOWN).toURL()).getContent());
    if (!name.equals(said.path("issuer").asText())) {
      throw new IOException(base + WELL_KNOWN + " is of another issuer");
    }
    try {
      URI keys = URI.create(said.path("jwks_uri").asText());
      if (!AccessSettings.Jwt.isSafe(keys)) {
        throw new IOException("jwks_uri of " + name + " is no https URL");
      }
      return new IssuerDescription(keys.toURL());
    } catch (IllegalArgumentException malformed) {
      throw new IOException("jwks_uri of " + name + " is no URL", malformed);
    }
  }
}
