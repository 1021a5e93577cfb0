package io.connectionledger.admission.http;

import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** Takes no request for a check. */
final class NoChecks extends Handler.Abstract {

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    return false;
  }
}
