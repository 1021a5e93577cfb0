package io.connectionledger.app.client;

import picocli.CommandLine.Option;

/** For whom something is printed. */
public final class OutputOption {

  @Option(
      names = "--output",
      paramLabel = "FORM",
      defaultValue = "table",
      converter = Output.Converter.class,
      completionCandidates = Output.Names.class,
      description = "table, or json: what the server says, one line each (default: table).")
  private Output output = Output.TABLE;

  public boolean isJson() {
    return output == Output.JSON;
  }
}
