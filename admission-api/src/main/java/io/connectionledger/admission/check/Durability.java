package io.connectionledger.admission.check;

import java.util.Locale;

/** When an allowed check is answered; the labels are contract ({@code authz.durability}). */
public enum Durability {
  /** At once; its decision is recorded in the background. */
  FAST,
  /** After Kafka has acknowledged its decision. */
  ACKNOWLEDGED;

  /** The name in the configuration. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
