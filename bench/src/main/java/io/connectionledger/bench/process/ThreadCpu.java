package io.connectionledger.bench.process;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Where a process spends its processor time: by the names of its threads as the kernel cuts them,
 * digits taken out. Threads that have ended are missing.
 *
 * @param ticks hundredths of a second by name
 */
public record ThreadCpu(Map<String, Long> ticks) {

  private static final int UTIME_AFTER_NAME = 11;
  private static final double SECONDS_PER_TICK = 0.01;

  /** What the threads have used until now; nothing where there is no /proc. */
  public static ThreadCpu of(long pid) throws IOException {
    Map<String, Long> ticks = new HashMap<>();
    Path tasks = Path.of("/proc", Long.toString(pid), "task");
    if (Files.isDirectory(tasks)) {
      try (Stream<Path> all = Files.list(tasks)) {
        all.forEach(task -> add(task.resolve("stat"), ticks));
      }
    }
    return new ThreadCpu(ticks);
  }

  private static void add(Path stat, Map<String, Long> ticks) {
    try {
      String line = Files.readString(stat);
      int nameEnd = line.lastIndexOf(')');
      String name = line.substring(line.indexOf('(') + 1, nameEnd).replaceAll("[\\d#]+", "");
      String[] fields = line.substring(nameEnd + 2).split(" ", -1);
      long used =
          Long.parseLong(fields[UTIME_AFTER_NAME]) + Long.parseLong(fields[UTIME_AFTER_NAME + 1]);
      ticks.merge(name.strip(), used, Long::sum);
    } catch (NoSuchFileException ended) {
      ticks.merge("(ended)", 0L, Long::sum);
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  public ThreadCpu minus(ThreadCpu earlier) {
    Map<String, Long> difference = new HashMap<>();
    ticks.forEach(
        (name, used) -> difference.put(name, used - earlier.ticks.getOrDefault(name, 0L)));
    return new ThreadCpu(difference);
  }

  public ThreadCpu plus(ThreadCpu other) {
    Map<String, Long> sum = new HashMap<>(ticks);
    other.ticks.forEach((name, used) -> sum.merge(name, used, Long::sum));
    return new ThreadCpu(sum);
  }

  /** The ten that used most, in microseconds for each of {@code operations}, a line each. */
  public String show(long operations) {
    return ticks.entrySet().stream()
        .filter(entry -> entry.getValue() > 0)
        .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
        .limit(10)
        .map(
            entry ->
                String.format(
                    Locale.ROOT,
                    "  %-18s %8.2f",
                    entry.getKey(),
                    entry.getValue() * SECONDS_PER_TICK * 1e6 / operations))
        .collect(Collectors.joining("\n"));
  }
}
