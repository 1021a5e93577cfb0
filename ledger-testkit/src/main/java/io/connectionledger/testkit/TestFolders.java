package io.connectionledger.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Folders that outlive a test, so that its logs can be read. */
public final class TestFolders {

  private TestFolders() {}

  /**
   * Makes one for an experiment; what an earlier run left is deleted.
   *
   * @param what the experiment; letters and digits of it name the folder
   */
  public static Path empty(Path parent, String what) throws IOException {
    Path folder = parent.resolve(what.replaceAll("[^A-Za-z0-9]+", "-")).toAbsolutePath();
    if (Files.exists(folder)) {
      long unused = delete(folder);
    }
    return Files.createDirectories(folder);
  }

  /**
   * Deletes one with all that is in it.
   *
   * @return how many files that were
   */
  public static long delete(Path folder) throws IOException {
    List<Path> entries;
    try (Stream<Path> tree = Files.walk(folder)) {
      entries = tree.sorted(Comparator.reverseOrder()).toList();
    }
    long files = 0;
    for (Path entry : entries) {
      if (Files.isRegularFile(entry)) {
        files++;
      }
      Files.delete(entry);
    }
    return files;
  }
}
