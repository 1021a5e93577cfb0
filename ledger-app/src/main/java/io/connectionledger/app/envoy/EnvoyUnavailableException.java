package io.connectionledger.app.envoy;

/** There is no Envoy to run. The message is one line that tells the operator what to do. */
public final class EnvoyUnavailableException extends Exception {

  private static final long serialVersionUID = 1L;

  EnvoyUnavailableException(String problem, String remedy) {
    super(problem + ": " + remedy);
  }

  EnvoyUnavailableException(String problem, String remedy, Throwable cause) {
    super(problem + ": " + remedy, cause);
  }
}
