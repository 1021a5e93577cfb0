package io.connectionledger.admission.http.port;

import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Shows a HEAD to those behind it as the GET that it stands for, so that a probe which asks so
 * learns what it would get. Jetty itself leaves the body out, as it knows what was really asked.
 */
final class HeadAsGet extends Handler.Wrapper {

  HeadAsGet(Handler handler) {
    super(handler);
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    return super.handle(
        HttpMethod.HEAD.is(request.getMethod()) ? new AsGet(request) : request, response, callback);
  }

  private static final class AsGet extends Request.Wrapper {

    AsGet(Request head) {
      super(head);
    }

    @Override
    public String getMethod() {
      return HttpMethod.GET.asString();
    }
  }
}
