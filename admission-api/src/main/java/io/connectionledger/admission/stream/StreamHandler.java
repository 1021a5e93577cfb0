package io.connectionledger.admission.stream;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Answers {@code GET /v1/pools/{pool}/stream} with server-sent events, for as long as the client
 * reads. It never waits, and may therefore run on the threads that select.
 */
public final class StreamHandler extends Handler.Abstract.NonBlocking {

  private static final Pattern PATH = Pattern.compile("/v1/pools/([^/]*)/stream");
  private static final List<String> ACCEPTABLE = List.of("text/event-stream", "text/*", "*/*");

  private final PoolStreams streams;
  private final StreamJson json;

  public StreamHandler(PoolStreams streams, StreamJson json) {
    this.streams = streams;
    this.json = json;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    String path = request.getHttpURI().getDecodedPath();
    Matcher asked = PATH.matcher(path == null ? "" : path);
    if (!asked.matches()) {
      return false;
    }
    HttpFields headers = request.getHeaders();
    if (!request.getMethod().equals("GET")) {
      response.getHeaders().put("allow", "GET");
      refuse(response, callback, 405, request.getMethod() + " is not allowed here: GET is");
    } else if (!accepts(headers)) {
      refuse(
          response, callback, 406, "this is text/event-stream, which the request does not accept");
    } else if (HttpMethod.HEAD.is(Request.unWrap(request).getMethod())) {
      streams.describe(asked.group(1), response, callback);
    } else {
      streams.follow(asked.group(1), headers.get("last-event-id"), response, callback);
    }
    return true;
  }

  private static boolean accepts(HttpFields headers) {
    List<String> accepted = headers.getQualityCSV(HttpHeader.ACCEPT);
    return accepted.isEmpty()
        || accepted.stream()
            .map(type -> type.replaceFirst(";.*", "").strip())
            .anyMatch(ACCEPTABLE::contains);
  }

  private void refuse(Response response, Callback callback, int status, String detail) {
    StreamReader.refuse(response, new Refusal(status, detail), json, callback);
  }
}
