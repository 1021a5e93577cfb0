package io.connectionledger.app.envoy;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A shell that kills a child of this process when this process is gone. It waits for the end of its
 * standard input, which the system closes however this process ends; a shutdown hook would miss
 * {@code kill -9}, and would run beside the hooks that still need the child.
 */
final class Watchdog implements AutoCloseable {

  private static final String SCRIPT = "read -r line; kill -9 \"$1\" 2>/dev/null";

  private final Process shell;

  private Watchdog(Process shell) {
    this.shell = shell;
  }

  static Watchdog over(Process child) throws IOException {
    List<String> line = new ArrayList<>(ownSession());
    line.addAll(List.of("sh", "-c", SCRIPT, "sh", Long.toString(child.pid())));
    return new Watchdog(
        new ProcessBuilder(line)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start());
  }

  /** What to put before a command so that the terminal's signals do not reach it. */
  static List<String> ownSession() {
    boolean available =
        Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator, -1))
            .anyMatch(folder -> Files.isExecutable(Path.of(folder, "setsid")));
    return available ? List.of("setsid") : List.of();
  }

  /** Stops watching; idempotent. */
  @Override
  public void close() {
    shell.destroyForcibly();
    shell.onExit().join();
  }
}
