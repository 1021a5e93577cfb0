package io.connectionledger.app.tail;

import io.connectionledger.model.policy.DurationText;
import java.time.Duration;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** From where records are shown. */
sealed interface Start {

  /** Everything that Kafka still has. */
  record Beginning() implements Start {}

  /** Only what is yet to come. */
  record Now() implements Start {}

  /** What came within the last time. */
  record Ago(Duration time) implements Start {}

  /** Reads what is typed. */
  final class Converter implements ITypeConverter<Start> {
    @Override
    public Start convert(String written) {
      return switch (written) {
        case "beginning" -> new Beginning();
        case "now" -> new Now();
        default -> {
          try {
            yield new Ago(DurationText.parse(written));
          } catch (IllegalArgumentException noDuration) {
            throw new TypeConversionException(
                "'" + written + "': allowed is beginning, now or " + noDuration.getMessage());
          }
        }
      };
    }
  }
}
