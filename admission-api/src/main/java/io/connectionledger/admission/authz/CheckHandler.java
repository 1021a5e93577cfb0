package io.connectionledger.admission.authz;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.connectionledger.admission.check.Admission;
import io.connectionledger.admission.check.CheckReply;
import io.connectionledger.admission.check.Client;
import io.connectionledger.model.event.Decision;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import java.nio.ByteBuffer;
import java.util.List;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/**
 * Envoy's ext_authz over HTTP: any method on {@code /check} and below. An answer is the one of
 * {@link CheckService} with its dynamic metadata as headers. It never waits, and may therefore run
 * on the threads that select.
 *
 * <p>A check has the path of the request that it is about behind the prefix. That is taken as it is
 * written: resolved, {@code /check/../v1/pools} would be a question that any client could put.
 */
public final class CheckHandler extends Handler.Abstract.NonBlocking {

  /** Checks have no body; one that Envoy is told to send along is left unread. */
  private static final long MAX_BODY_BYTES = 64 << 10;

  private static final String PATH = "/check";
  private static final String PREFIX = "x-ledger-";
  private static final String POOL_HEADER = PREFIX + "pool";

  private final Admission admission;
  private final CheckResponses answers = new CheckResponses();

  public CheckHandler(Admission admission) {
    this.admission = admission;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    String path = request.getHttpURI().getPath();
    if (path == null || !(path.equals(PATH) || path.startsWith(PATH + "/"))) {
      return false;
    }
    HttpFields headers = request.getHeaders();
    List<String> pools = headers.getValuesList(POOL_HEADER);
    if (pools.size() > 1) {
      refuse(response, callback, 400, POOL_HEADER + " is there more than once: allowed is once");
    } else if (request.getLength() > MAX_BODY_BYTES) {
      refuse(
          response,
          callback,
          413,
          "the body has " + request.getLength() + " bytes: allowed is up to " + MAX_BODY_BYTES);
    } else if (!isWebSocket(headers)) {
      send(response, callback, CheckResponses.PASS);
    } else {
      admission.check(
          pools.isEmpty()
              ? admission.poolOf(authority(headers), path.substring(PATH.length()))
              : pools.getFirst(),
          new HttpClient(headers, Request.getRemoteAddr(request)),
          new HttpReply(response, callback, answers),
          gone -> {
            request.addFailureListener(failure -> gone.run());
            Request.addCompletionListener(
                request,
                failure -> {
                  if (failure != null) {
                    gone.run();
                  }
                });
          });
    }
    return true;
  }

  /** Of the request that is asked about: Envoy passes it on as the host of the check. */
  private static String authority(HttpFields headers) {
    String host = headers.get("host");
    return host == null ? "" : host;
  }

  private static boolean isWebSocket(HttpFields headers) {
    // Envoy does not say of which version the request was that it asks about.
    return WebSocketUpgrade.isAskedBy(
        name -> headers.contains(name) ? String.join(",", headers.getValuesList(name)) : null, "");
  }

  private static void refuse(Response response, Callback callback, int status, String detail) {
    response.setStatus(status);
    response.getHeaders().put("content-type", "application/problem+json");
    write(
        response,
        callback,
        "{\"type\":\"about:blank\",\"status\":" + status + ",\"detail\":\"" + detail + "\"}");
  }

  private static void send(Response response, Callback callback, CheckResponse answer) {
    HttpFields.Mutable headers = response.getHeaders();
    List<HeaderValueOption> options;
    String body;
    if (answer.hasDeniedResponse()) {
      response.setStatus(answer.getDeniedResponse().getStatus().getCodeValue());
      options = answer.getDeniedResponse().getHeadersList();
      body = answer.getDeniedResponse().getBody();
    } else {
      response.setStatus(200);
      options = answer.getOkResponse().getHeadersList();
      body = "";
    }
    for (HeaderValueOption option : options) {
      headers.put(new HttpField(option.getHeader().getKey(), option.getHeader().getValue()));
    }
    answer
        .getDynamicMetadata()
        .getFieldsMap()
        .forEach(
            (key, value) -> {
              if (!headers.contains(PREFIX + key)) {
                headers.put(new HttpField(PREFIX + key, value.getStringValue()));
              }
            });
    write(response, callback, body);
  }

  private static void write(Response response, Callback callback, String body) {
    byte[] bytes = body.getBytes(UTF_8);
    response.getHeaders().put("content-length", bytes.length);
    response.write(true, ByteBuffer.wrap(bytes), callback);
  }

  /** Envoy tells the address last in {@code x-forwarded-for}, when it may send that header. */
  private record HttpClient(HttpFields headers, String envoy) implements Client {

    @Override
    public @Nullable String header(String name) {
      return headers.get(name);
    }

    @Override
    public @Nullable String sourceAddress() {
      List<String> hops = headers.getCSV("x-forwarded-for", false);
      return hops.isEmpty() ? null : hops.getLast();
    }

    /** A check over HTTP says nothing of the listener; of the Envoy there is its own address. */
    @Override
    public @Nullable String listener() {
      return envoy;
    }
  }

  private record HttpReply(Response response, Callback callback, CheckResponses answers)
      implements CheckReply {

    @Override
    public void allowed(Decision.Allowed decision) {
      send(response, callback, answers.allowed(decision));
    }

    @Override
    public void rejected(Decision.Rejected decision) {
      send(response, callback, answers.rejected(decision));
    }

    @Override
    public void unowned(String pool) {
      send(response, callback, answers.unowned(pool));
    }
  }
}
