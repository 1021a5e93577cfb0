package io.connectionledger.bench.process;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A process that is measured or measures. Its lines on standard output are answers to lines on its
 * standard input; its standard error goes to a file.
 */
public final class Subprocess implements AutoCloseable {

  private static final int STOP_SECONDS = 60;

  /** Further options of every virtual machine that is measured, a flight recording for example. */
  private static final String OPTIONS = "BENCH_JAVA_OPTS";

  private final Process process;
  private final BufferedReader out;
  private final PrintStream in;
  private final Path log;

  private Subprocess(Process process, Path log) {
    this.process = process;
    this.out = process.inputReader(StandardCharsets.UTF_8);
    this.in = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
    this.log = log;
  }

  /** A virtual machine with this one's class path. */
  public static Subprocess java(Path log, String heap, String main, String... args)
      throws IOException {
    return java(List.of(), log, heap, main, args);
  }

  /** The same, which gets what processor time the others leave, as if it ran on another machine. */
  public static Subprocess background(Path log, String heap, String main, String... args)
      throws IOException {
    return java(List.of("nice", "-n", "19"), log, heap, main, args);
  }

  private static Subprocess java(
      List<String> before, Path log, String heap, String main, String... args) throws IOException {
    List<String> command = new ArrayList<>(before);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseG1GC", "-Xms" + heap, "-Xmx" + heap));
    command.addAll(List.of("-XX:+ExitOnOutOfMemoryError", "--enable-native-access=ALL-UNNAMED"));
    if (Runtime.version().feature() >= 24) {
      command.add("--sun-misc-unsafe-memory-access=allow");
    }
    command.addAll(furtherOptions());
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main));
    command.addAll(List.of(args));
    return start(new ProcessBuilder(command), log);
  }

  /** The ledger as {@code ./ledger} starts it, with its cache of what Java learned before. */
  static Subprocess ledger(Path log, String heap, Map<String, String> environment, String... args)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(System.getProperty("bench.ledger"));
    command.addAll(List.of(args));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    List<String> options = new ArrayList<>(List.of("-Xms" + heap, "-Xmx" + heap));
    options.addAll(furtherOptions());
    builder.environment().put("LEDGER_JAVA_OPTS", String.join(" ", options));
    return start(builder, log);
  }

  private static List<String> furtherOptions() {
    String further = System.getenv(OPTIONS);
    return further == null || further.isBlank()
        ? List.of()
        : List.of(further.strip().split("\\s+", -1));
  }

  /** Any program. */
  public static Subprocess start(Path log, List<String> command) throws IOException {
    return start(new ProcessBuilder(command), log);
  }

  /** A program that answers nothing: what it writes goes to the log, too. */
  public static Subprocess silent(Path log, List<String> command) throws IOException {
    return new Subprocess(
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start(),
        log);
  }

  private static Subprocess start(ProcessBuilder builder, Path log) throws IOException {
    return new Subprocess(
        builder.redirectError(ProcessBuilder.Redirect.appendTo(log.toFile())).start(), log);
  }

  /** Answers, as such a process, each line that {@link #ask} sends, until there are no more. */
  public static void answerEach(Answering answering) throws Exception {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      System.out.println(answering.answer(line.split(" ", -1)));
    }
  }

  /** What a process answers. */
  public interface Answering {

    /** One line for the words of another. */
    String answer(String[] words) throws Exception;
  }

  /** Sends {@code line} and returns the answer. */
  public String ask(String line) throws IOException {
    in.println(line);
    return answer();
  }

  /** The next line of its standard output. */
  public String answer() throws IOException {
    String line = out.readLine();
    if (line == null) {
      throw new IOException("the process ended; its errors are in " + log);
    }
    return line;
  }

  public long pid() {
    return process.pid();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** The processor time that it has used, in nanoseconds. */
  public long cpuNanos() {
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
