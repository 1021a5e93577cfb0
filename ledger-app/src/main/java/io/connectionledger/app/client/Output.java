package io.connectionledger.app.client;

import java.util.Arrays;
import java.util.Iterator;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** For whom something is printed. */
public enum Output {
  /** For people. */
  TABLE,
  /** For programs: what the server said, a line each. */
  JSON;

  /** The name on the command line. */
  String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Reads the name. */
  public static final class Converter implements ITypeConverter<Output> {
    @Override
    public Output convert(String written) {
      return Arrays.stream(values())
          .filter(output -> output.label().equals(written))
          .findFirst()
          .orElseThrow(
              () -> new TypeConversionException("'" + written + "': allowed is table or json"));
    }
  }

  /** The names, for completion. */
  public static final class Names implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Arrays.stream(values()).map(Output::label).iterator();
    }
  }
}
