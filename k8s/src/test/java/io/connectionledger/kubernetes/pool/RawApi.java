package io.connectionledger.kubernetes.pool;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.util.List;

/** Requests of which the answer's headers count, or that no client library would send. */
final class RawApi {

  private final KubernetesClient client;

  /**
   * An answer.
   *
   * @param warnings what {@code kubectl} would show as such
   */
  record Answer(int code, JsonNode body, List<String> warnings) {

    /** What a refusal says. */
    String message() {
      return body.path("message").asText();
    }
  }

  RawApi(KubernetesClient client) {
    this.client = client;
  }

  /** Creates for real, or as if. */
  Answer create(String path, JsonNode object, boolean dryRun) {
    return send(
        request(path + "?fieldValidation=Strict" + (dryRun ? "&dryRun=All" : ""))
            .method("POST", "application/json", object.toString()));
  }

  /** Applies what is written in a file. */
  Answer apply(String path, String yaml) {
    return send(
        request(path + "?fieldManager=test&fieldValidation=Strict")
            .method("PATCH", "application/apply-patch+yaml", yaml));
  }

  /** The table that {@code kubectl get} asks for. */
  Answer table(String path) {
    return send(request(path).header("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io"));
  }

  private HttpRequest.Builder request(String path) {
    return client
        .getHttpClient()
        .newHttpRequestBuilder()
        .uri(client.getMasterUrl().toString().replaceAll("/$", "") + path);
  }

  private Answer send(HttpRequest.Builder request) {
    HttpResponse<String> response =
        client.getHttpClient().sendAsync(request.build(), String.class).join();
    return new Answer(
        response.code(),
        new KubernetesSerialization().unmarshal(response.body(), JsonNode.class),
        response.headers("Warning"));
  }
}
