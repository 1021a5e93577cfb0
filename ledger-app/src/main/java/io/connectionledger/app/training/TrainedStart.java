package io.connectionledger.app.training;

import io.connectionledger.app.cli.FailedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * The program behind {@code ./ledger prepare} and the start cache of the image: a server does what
 * it does all day and ends, so that later starts take seconds less and the optimising compiler
 * knows at once what it would learn in minutes. Java writes the cache, where the options that it is
 * given tell it to.
 */
public final class TrainedStart {

  private static final int ROUNDS_ALONE = 100;
  private static final int ROUNDS_BESIDE_ANOTHER = 40;

  /**
   * What the optimising compiler had compiled here it compiles at once in later starts; so it waits
   * here for ten times its usual counts, and takes only what each check needs.
   */
  private static final List<String> PATIENT =
      List.of(
          "-XX:Tier4InvocationThreshold=50000",
          "-XX:Tier4MinInvocationThreshold=6000",
          "-XX:Tier4CompileThreshold=150000",
          "-XX:Tier4BackEdgeThreshold=400000");

  /** Of the server that is only there for the other. */
  private static final List<String> BRIEF = List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC");

  private TrainedStart() {}

  /**
   * Trains.
   *
   * @param args the options of the Java of a server, with the one that makes its cache; and, where
   *     the start of a query is trained, too, {@code --} and those of its Java
   */
  public static void main(String[] args) throws Exception {
    List<String> ofServer = Stream.of(args).takeWhile(option -> !option.equals("--")).toList();
    List<String> ofQuery = Stream.of(args).skip(ofServer.size() + 1L).toList();
    Path folder = Files.createTempDirectory("ledger-training");
    int exitCode = 0;
    try {
      train(ofServer, ofQuery, folder);
    } catch (FailedException failed) {
      System.err.println("ledger: could not prepare: " + failed.getMessage());
      exitCode = failed.exitCode();
    } finally {
      delete(folder);
    }
    System.exit(exitCode);
  }

  private static void train(List<String> ofServer, List<String> ofQuery, Path folder)
      throws Exception {
    List<String> patient = Stream.concat(ofServer.stream(), PATIENT.stream()).toList();
    try (ServerProcess first = ServerProcess.start(patient, "", folder.resolve("1"))) {
      Training.run(ROUNDS_ALONE, List.of(first));
      // Checks of pools that another instance owns.
      try (ServerProcess second = ServerProcess.start(BRIEF, first.kafka(), folder.resolve("2"))) {
        Training.run(ROUNDS_BESIDE_ANOTHER, List.of(first, second));
      }
      if (!ofQuery.isEmpty()) {
        query(ofQuery, "http://127.0.0.1:" + first.port("http"), folder.resolve("query"));
      }
      System.err.println("  keeping it");
    }
  }

  private static void query(List<String> options, String url, Path log) throws Exception {
    if (ServerProcess.java(options, log, "connections", "--url", url).waitFor() != 0) {
      throw FailedException.failed("a query ended: " + Files.readString(log));
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
