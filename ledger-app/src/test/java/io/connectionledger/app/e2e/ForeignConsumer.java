package io.connectionledger.app.e2e;

import io.connectionledger.app.envoy.EnvoyBinary;
import io.connectionledger.model.Ticker;
import io.connectionledger.testkit.TestFolders;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/**
 * A consumer that is not of Kafka's own making: librdkafka, from a pinned wheel whose hash pip
 * checks. It is installed once for each version of Python, beside the Envoy that is fetched.
 */
final class ForeignConsumer {

  private static final Path FILES =
      Fleet.ROOT.resolve("ledger-app/src/test/resources/foreign-consumer");

  private ForeignConsumer() {}

  /** The values of a topic up to now, each as text; without those of records that have none. */
  static List<String> read(String bootstrapServers, String topic)
      throws IOException, InterruptedException {
    ProcessBuilder consumer =
        new ProcessBuilder(
            "python3",
            FILES.resolve("consume.py").toString(),
            bootstrapServers,
            topic,
            Long.toString(Ticker.system().nowMs()));
    consumer.environment().put("PYTHONPATH", library().toString());
    List<String> values = new ArrayList<>(lines(consumer));
    values.removeIf("NULL"::equals);
    return values;
  }

  private static synchronized Path library() throws IOException, InterruptedException {
    String python =
        lines(
                new ProcessBuilder(
                    "python3", "-c", "import sys; print(sys.implementation.cache_tag)"))
            .getFirst();
    Path library = EnvoyBinary.cache(System.getenv()).resolve("confluent-kafka-2.12.2-" + python);
    if (!Files.isDirectory(library)) {
      install(library);
    }
    return library;
  }

  private static void install(Path library) throws IOException, InterruptedException {
    Files.createDirectories(library.getParent());
    Path work = Files.createTempDirectory(library.getParent(), "install-");
    try {
      System.err.println("Fetching confluent-kafka 2.12.2 (4 MB, once) into " + library);
      Path target = work.resolve("library");
      List<String> unused =
          lines(
              new ProcessBuilder(
                  "python3",
                  "-m",
                  "pip",
                  "install",
                  "--quiet",
                  "--disable-pip-version-check",
                  "--no-deps",
                  "--only-binary",
                  ":all:",
                  "--require-hashes",
                  "--target",
                  target.toString(),
                  "--requirement",
                  FILES.resolve("requirements.txt").toString()));
      Files.move(target, library, StandardCopyOption.ATOMIC_MOVE);
    } catch (FileSystemException e) {
      // Another process may have been faster, with the same.
      if (!Files.isDirectory(library)) {
        throw e;
      }
    } finally {
      long unused = TestFolders.delete(work);
    }
  }

  private static List<String> lines(ProcessBuilder command)
      throws IOException, InterruptedException {
    Process process = command.redirectError(ProcessBuilder.Redirect.INHERIT).start();
    List<String> lines = new ArrayList<>();
    try (var out = process.inputReader(StandardCharsets.UTF_8)) {
      out.lines().forEach(lines::add);
    }
    if (process.waitFor() != 0) {
      throw new IOException(
          String.join(" ", command.command()) + " ended with " + process.exitValue());
    }
    return lines;
  }
}
