package io.connectionledger.kubernetes.deploy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * How a command of a shell ended.
 *
 * @param output what it wrote, errors included
 */
public record Command(int exitCode, String output) {

  static final Path DEPLOY = Path.of("deploy.sh").toAbsolutePath();

  /** Runs one without a terminal, in this process's environment with {@code changes}. */
  public static Command run(Map<String, String> changes, List<String> line)
      throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(line).redirectErrorStream(true);
    builder.environment().putAll(changes);
    Process process = builder.start();
    process.getOutputStream().close();
    String output;
    try (var written = process.getInputStream()) {
      output = new String(written.readAllBytes(), StandardCharsets.UTF_8);
    }
    return new Command(process.waitFor(), output);
  }
}
