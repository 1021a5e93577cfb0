package io.connectionledger.app.client;

import io.connectionledger.model.policy.DurationText;
import java.time.Duration;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a duration as the configuration writes it. */
public final class DurationConverter implements ITypeConverter<Duration> {

  @Override
  public Duration convert(String written) {
    try {
      return DurationText.parse(written);
    } catch (IllegalArgumentException invalid) {
      throw new TypeConversionException("'" + written + "': allowed is " + invalid.getMessage());
    }
  }
}
