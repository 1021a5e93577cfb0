package io.connectionledger.model;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;

/**
 * What JSON may cost that comes from outside: records, bodies, answers of other instances. Jackson
 * refuses what exceeds it, as it does what is malformed.
 */
public final class JsonBounds {

  /** How deep objects and lists may nest; the deepest of the ledger's own has eight levels. */
  public static final int MAX_DEPTH = 32;

  /** The longest number, in characters. */
  public static final int MAX_NUMBER_LENGTH = 64;

  /** The longest name of a field, in characters. */
  public static final int MAX_NAME_LENGTH = 1_024;

  public static final StreamReadConstraints CONSTRAINTS =
      StreamReadConstraints.builder()
          .maxNestingDepth(MAX_DEPTH)
          .maxNumberLength(MAX_NUMBER_LENGTH)
          .maxNameLength(MAX_NAME_LENGTH)
          .build();

  private JsonBounds() {}

  /** A factory of parsers with these bounds. */
  public static JsonFactory factory() {
    return JsonFactory.builder().streamReadConstraints(CONSTRAINTS).build();
  }
}
