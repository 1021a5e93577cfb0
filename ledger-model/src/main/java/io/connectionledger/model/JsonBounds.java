package io.connectionledger.model;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;

/** How much JSON of others is read; what goes beyond is no JSON to us. */
public final class JsonBounds {

  /** Objects and lists within each other. A policy has three. */
  public static final int MAX_DEPTH = 32;

  /** Digits of a number. */
  public static final int MAX_NUMBER_CHARS = 100;

  private JsonBounds() {}

  /** Makes parsers that keep the bounds. */
  public static JsonFactory factory() {
    return JsonFactory.builder()
        .streamReadConstraints(
            StreamReadConstraints.builder()
                .maxNestingDepth(MAX_DEPTH)
                .maxNumberLength(MAX_NUMBER_CHARS)
                .build())
        .build();
  }
}
