package io.connectionledger.admission.http;

import io.connectionledger.admission.http.port.HttpRefusal;
import io.connectionledger.admission.http.port.HttpRefusals;
import io.connectionledger.admission.http.view.Views;
import java.nio.ByteBuffer;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/** Problems in the place of Jetty's own pages, for what fails before any route is asked. */
final class ProblemPages extends ErrorHandler {

  private final HttpRefusals refusals;

  ProblemPages(HttpRefusals refusals) {
    this.refusals = refusals;
  }

  @Override
  public boolean errorPageForMethod(String method) {
    return true;
  }

  @Override
  protected void generateResponse(
      Request request,
      Response response,
      int code,
      @Nullable String message,
      @Nullable Throwable cause,
      Callback callback) {
    if (code == HttpStatus.REQUEST_HEADER_FIELDS_TOO_LARGE_431) {
      refusals.count(HttpRefusal.HEAD_TOO_LARGE);
    }
    response.getHeaders().put("content-type", Exchange.PROBLEM);
    response.write(true, ByteBuffer.wrap(problem(code, message)), callback);
  }

  private static byte[] problem(int code, @Nullable String message) {
    boolean ours = code >= HttpStatus.INTERNAL_SERVER_ERROR_500;
    String title = HttpStatus.getMessage(code);
    String detail = ours ? Router.SEE_LOG : message == null ? title : message;
    return Exchange.encode(
        new Views.Problem("about:blank", title, code, detail, null, null, null, null, null));
  }
}
