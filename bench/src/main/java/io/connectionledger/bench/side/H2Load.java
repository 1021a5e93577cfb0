package io.connectionledger.bench.side;

import io.connectionledger.bench.client.CheckClient;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Checks at a steady rate from nghttp2's {@code h2load}, which tells each one's time. */
public final class H2Load {

  private static final int CONNECTIONS = 4;
  private static final int CHECKS_PER_CONNECTION = 100;
  private static final int GRPC_PREFIX_BYTES = 5;

  private final Path dir;

  /**
   * With its files in {@code dir}.
   *
   * @throws IOException also when there is no such program
   */
  public H2Load(Path dir) throws IOException {
    this.dir = dir;
    byte[] check = CheckClient.request(0).toByteArray();
    Files.write(
        dir.resolve("check"),
        ByteBuffer.allocate(GRPC_PREFIX_BYTES + check.length)
            .put((byte) 0)
            .putInt(check.length)
            .put(check)
            .array());
  }

  /**
   * What came of a run.
   *
   * @param checks that were answered
   * @param failed that were not
   * @param p50 the median of their times, in milliseconds, and so {@code p99}
   */
  public record Result(int checks, int failed, double p50, double p99) {}

  /** Sends {@code perSecond} checks a second to {@code port}, over four connections. */
  public Result run(int port, int perSecond, int seconds) throws IOException, InterruptedException {
    Path times = dir.resolve("h2load.times");
    Files.deleteIfExists(times);
    Process process =
        new ProcessBuilder(
                "h2load",
                "--clients=" + CONNECTIONS,
                "--max-concurrent-streams=" + CHECKS_PER_CONNECTION,
                "--threads=1",
                "--rps=" + String.format(Locale.ROOT, "%.3f", (double) perSecond / CONNECTIONS),
                "--duration=" + seconds,
                "--data=" + dir.resolve("check"),
                "--header=content-type: application/grpc",
                "--header=te: trailers",
                "--log-file=" + times,
                "http://127.0.0.1:" + port + "/envoy.service.auth.v3.Authorization/Check")
            .redirectErrorStream(true)
            .redirectOutput(dir.resolve("h2load.log").toFile())
            .start();
    if (process.waitFor() != 0) {
      throw new IOException("h2load failed; see " + dir.resolve("h2load.log"));
    }
    List<String[]> lines =
        Files.readAllLines(times).stream().map(line -> line.split("\t", -1)).toList();
    long[] micros =
        lines.stream()
            .filter(fields -> fields[1].equals("200"))
            .mapToLong(fields -> Long.parseLong(fields[2]))
            .sorted()
            .toArray();
    if (micros.length == 0) {
      throw new IOException("no check was answered; see " + dir.resolve("h2load.log"));
    }
    return new Result(
        micros.length,
        lines.size() - micros.length,
        micros[(micros.length - 1) / 2] / 1e3,
        micros[(int) ((micros.length - 1) * 0.99)] / 1e3);
  }
}
