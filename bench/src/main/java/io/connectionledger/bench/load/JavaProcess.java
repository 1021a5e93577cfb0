package io.connectionledger.bench.load;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A Java process with this one's class path. Its lines on standard output are answers to lines on
 * its standard input; its standard error goes to a file.
 */
final class JavaProcess implements AutoCloseable {

  private static final int STOP_SECONDS = 60;

  /** Further options of every virtual machine that is measured, a flight recording for example. */
  private static final String OPTIONS = "BENCH_JAVA_OPTS";

  private final Process process;
  private final BufferedReader out;
  private final PrintStream in;
  private final Path log;

  private JavaProcess(Process process, Path log) {
    this.process = process;
    this.out = process.inputReader(StandardCharsets.UTF_8);
    this.in = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
    this.log = log;
  }

  static JavaProcess start(Path log, String heap, String main, String... args) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseG1GC", "-Xms" + heap, "-Xmx" + heap));
    command.addAll(List.of("-XX:+ExitOnOutOfMemoryError", "--enable-native-access=ALL-UNNAMED"));
    if (Runtime.version().feature() >= 24) {
      command.add("--sun-misc-unsafe-memory-access=allow");
    }
    String further = System.getenv(OPTIONS);
    if (further != null && !further.isBlank()) {
      command.addAll(List.of(further.strip().split("\\s+", -1)));
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main));
    command.addAll(List.of(args));
    return new JavaProcess(
        new ProcessBuilder(command)
            .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start(),
        log);
  }

  /** Sends {@code line} and returns the answer. */
  String ask(String line) throws IOException {
    in.println(line);
    return answer();
  }

  /** The next line of its standard output. */
  String answer() throws IOException {
    String line = out.readLine();
    if (line == null) {
      throw new IOException("the process ended; its errors are in " + log);
    }
    return line;
  }

  long pid() {
    return process.pid();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** The processor time that it has used, in nanoseconds. */
  long cpuNanos() {
    return process
        .info()
        .totalCpuDuration()
        .orElseThrow(() -> new IllegalStateException("the process ended; its errors are in " + log))
        .toNanos();
  }

  /** Asks it to stop and waits until it has. */
  @Override
  public void close() throws IOException, InterruptedException {
    process.destroy();
    if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly().waitFor();
      throw new IOException("had to be killed after " + STOP_SECONDS + " s; see " + log);
    }
  }
}
