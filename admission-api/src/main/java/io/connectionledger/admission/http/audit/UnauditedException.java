package io.connectionledger.admission.http.audit;

/** The audit did not take what was asked, so that it was not done. */
public final class UnauditedException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  UnauditedException(Throwable cause) {
    super(cause);
  }
}
