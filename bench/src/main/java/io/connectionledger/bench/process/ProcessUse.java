package io.connectionledger.bench.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a process holds; memory and disk in megabytes of 2^20 bytes.
 *
 * @param heapMb live after a full collection, which is asked for
 * @param storesMb of its state directory, Kafka's topics left out
 */
public record ProcessUse(
    double heapMb, double rssMb, double threads, double handles, double storesMb, double topicsMb) {

  private static final double MB = 1 << 20;
  private static final Pattern USED = Pattern.compile("used (\\d+)K");

  /** Of a virtual machine on Linux that keeps its data in {@code data}. */
  public static ProcessUse of(long pid, Path data) throws IOException, InterruptedException {
    jcmd(pid, "GC.run");
    Matcher used = USED.matcher(jcmd(pid, "GC.heap_info"));
    if (!used.find()) {
      throw new IOException("jcmd does not say how much heap is used");
    }
    Path proc = Path.of("/proc", Long.toString(pid));
    double handles;
    try (Stream<Path> all = Files.list(proc.resolve("fd"))) {
      handles = all.count();
    }
    double stores = bytes(data.resolve("streams"));
    return new ProcessUse(
        Long.parseLong(used.group(1)) / 1024.0,
        status(proc, "VmRSS") / 1024.0,
        status(proc, "Threads"),
        handles,
        stores / MB,
        (bytes(data) - stores) / MB);
  }

  private static long status(Path proc, String name) throws IOException {
    return Files.readAllLines(proc.resolve("status")).stream()
        .filter(line -> line.startsWith(name + ":"))
        .map(line -> line.replaceAll("\\D", ""))
        .mapToLong(Long::parseLong)
        .findFirst()
        .orElseThrow(() -> new IOException("no " + name + " of " + proc));
  }

  private static String jcmd(long pid, String command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                Long.toString(pid),
                command)
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes());
    if (process.waitFor() != 0) {
      throw new IOException(said);
    }
    return said;
  }

  /** Files come and go meanwhile; one that is gone has no bytes. */
  private static double bytes(Path root) throws IOException, InterruptedException {
    Process du = new ProcessBuilder("du", "-sk", root.toString()).start();
    String said = new String(du.getInputStream().readAllBytes());
    du.waitFor();
    return Double.parseDouble(said.substring(0, said.indexOf('\t'))) * 1024;
  }
}
