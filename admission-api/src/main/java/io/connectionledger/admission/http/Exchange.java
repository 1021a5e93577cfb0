package io.connectionledger.admission.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.connectionledger.admission.http.auth.Caller;
import io.connectionledger.admission.http.port.AnswerTimeout;
import io.connectionledger.admission.http.port.HttpRefusal;
import io.connectionledger.admission.http.port.HttpRefusals;
import io.connectionledger.admission.http.view.Views;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.Fields;
import org.jspecify.annotations.Nullable;

/** A request of a {@link Router}'s route and its one answer, which any thread may give. */
final class Exchange {

  static final String JSON = "application/json";
  static final String PROBLEM = "application/problem+json";

  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final int MIN_COMPRESSED_BYTES = 1_500;

  private final Request request;
  private final Response response;
  private final Callback callback;
  private final Map<String, String> path;
  private final HttpRefusals refusals;
  private final Map<String, String> headers = new LinkedHashMap<>();
  private byte[] body = {};
  private @Nullable Caller caller;

  /**
   * A request that nobody has answered.
   *
   * @param path the parameters of its path, decoded
   */
  Exchange(
      Request request,
      Response response,
      Callback callback,
      Map<String, String> path,
      HttpRefusals refusals) {
    this.refusals = refusals;
    this.request = request;
    this.response = response;
    this.callback = callback;
    this.path = path;
  }

  /** A parameter that the path of the route names. */
  String pathParam(String name) {
    String value = path.get(name);
    if (value == null) {
      throw new IllegalArgumentException("the route has no parameter " + name);
    }
    return value;
  }

  @Nullable String queryParam(String name) {
    Fields query = Request.extractQueryParameters(request);
    return query.getValue(name);
  }

  @Nullable String header(String name) {
    return request.getHeaders().get(name);
  }

  /** Puts a header of the answer. */
  Exchange header(String name, String value) {
    headers.put(name, value);
    return this;
  }

  /** All of the body; empty where the route takes none. */
  byte[] body() {
    return body;
  }

  /** Takes the body, before the route is asked. */
  void body(byte[] read) {
    body = read;
  }

  /** Who asks; known before the route is asked, where it is not for everybody. */
  Caller caller() {
    if (caller == null) {
      throw new IllegalStateException("nobody was asked who they are");
    }
    return caller;
  }

  void caller(Caller known) {
    caller = known;
  }

  /** The client's address, or that of what stands in front of this instance. */
  String address() {
    return Request.getRemoteAddr(request);
  }

  /** Counts why the request is refused, if that is counted. */
  void count(@Nullable HttpRefusal refusal) {
    if (refusal != null) {
      refusals.count(refusal);
    }
  }

  Request request() {
    return request;
  }

  /** Leaves the answer to somebody who needs all of the request. */
  void handTo(Request.Handler other) throws Exception {
    if (!other.handle(request, response, callback)) {
      throw new HttpProblem(HttpStatus.NOT_FOUND_404, "Not Found");
    }
  }

  /** Answers with JSON. */
  void json(Object view) {
    answer(HttpStatus.OK_200, JSON, encode(view));
  }

  /** Answers with a problem. */
  void problem(Views.Problem problem) {
    answer(problem.status(), PROBLEM, encode(problem));
  }

  /** Answers without a body. */
  void status(int status) {
    response.setStatus(status);
    headers.forEach(response.getHeaders()::put);
    callback.succeeded();
  }

  /** Answers, compressed where that is worth it and the client takes it. */
  void answer(int status, String contentType, byte[] body) {
    response.setStatus(status);
    HttpFields.Mutable answered = response.getHeaders();
    answered.put("content-type", contentType);
    headers.forEach(answered::put);
    byte[] sent = body;
    if (body.length >= MIN_COMPRESSED_BYTES
        && request.getHeaders().getQualityCSV("accept-encoding").contains("gzip")) {
      answered.put("content-encoding", "gzip");
      sent = compressed(body);
    }
    answered.put("content-length", sent.length);
    response.write(true, ByteBuffer.wrap(sent), new AnswerTimeout(request, callback, refusals));
  }

  private static byte[] compressed(byte[] body) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(body.length / 4);
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(body);
    } catch (IOException impossible) {
      throw new IllegalStateException("memory writes without I/O", impossible);
    }
    return out.toByteArray();
  }

  static byte[] encode(Object view) {
    try {
      return MAPPER.writeValueAsBytes(view);
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException("plain values always encode", impossible);
    }
  }
}
