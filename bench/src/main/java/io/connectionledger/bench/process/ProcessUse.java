package io.connectionledger.bench.process;

import static java.nio.charset.StandardCharsets.UTF_8;

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
    return output(
        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
        Long.toString(pid),
        command);
  }

  /** Files that go meanwhile have no bytes: {@code du} complains of them and goes on. */
  private static double bytes(Path root) throws IOException, InterruptedException {
    String said = output("du", "-sk", root.toString());
    int tab = said.indexOf('\t');
    if (tab < 0) {
      throw new IOException("du says nothing of " + root);
    }
    return Long.parseLong(said.substring(0, tab)) * 1024.0;
  }

  private static String output(String... command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String said = new String(process.getInputStream().readAllBytes(), UTF_8);
    process.waitFor();
    return said;
  }
}
