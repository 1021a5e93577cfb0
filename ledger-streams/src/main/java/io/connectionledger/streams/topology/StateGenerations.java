package io.connectionledger.streams.topology;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.kafka.common.utils.Utils;

/**
 * The state directory of the topology: one of the numbered folders in {@code home}, the newest.
 * State that cannot be read is left behind for a new folder and deleted by the next start, because
 * Kafka Streams holds its locks on it for as long as the process lives. Not thread-safe.
 */
final class StateGenerations {

  private final Path home;
  private int newest;

  /**
   * Finds the newest and deletes the others.
   *
   * @throws UncheckedIOException when {@code home} cannot be written
   */
  StateGenerations(Path home) {
    this.home = home;
    try {
      Files.createDirectories(home);
      List<Path> found;
      try (Stream<Path> entries = Files.list(home)) {
        found = entries.toList();
      }
      newest = found.stream().mapToInt(StateGenerations::number).max().orElse(0);
      for (Path old : found) {
        if (number(old) < newest) {
          Utils.delete(old.toFile());
        }
      }
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  /** What somebody else put there is older than all. */
  private static int number(Path folder) {
    String name = folder.getFileName().toString();
    return name.matches("[0-9]{1,9}") ? Integer.parseInt(name) : -1;
  }

  Path current() {
    return home.resolve(Integer.toString(newest));
  }

  /** Begins an empty one. */
  void next() {
    newest++;
  }
}
