package io.connectionledger.bench.client;

import io.connectionledger.bench.process.Subprocess;
import io.connectionledger.model.event.ConnectionIds;
import io.envoyproxy.envoy.data.accesslog.v3.AccessLogType;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Envoys without Envoy: as many access-log streams as there would be workers, each with its share
 * of the connections, saying what it is told to as fast as the ledger takes it. Reads lines of a
 * command and a number, and answers each when it is done:
 *
 * <pre>
 *   prepare N   makes the messages of N new connections
 *   open T      the opens, T times
 *   beat T      the heartbeats of all, T times, and then one open in each pool on each stream: when
 * that is counted, so are all heartbeats
 *   close T     the closes of all, T times
 * </pre>
 */
public final class AccessLogLoad {

  private static final long FIRST_ID_MS = 1_780_000_000_000L;

  private final int streams;
  private final int pools;
  private final int pods;
  private final int entries;
  private final List<AccessLogStream> envoys = new ArrayList<>();
  private long prepared;

  private List<Script> scripts = List.of();

  /** What one stream can say: serialized messages, made before the clock starts. */
  private record Script(
      List<byte[]> opens, List<byte[]> beats, List<byte[]> marks, List<byte[]> closes) {}

  private AccessLogLoad(int port, int streams, int pools, int pods, int entries) {
    this.streams = streams;
    this.pools = pools;
    this.pods = pods;
    this.entries = entries;
    for (int i = 0; i < streams; i++) {
      ManagedChannel channel =
          NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
      envoys.add(AccessLogStream.open(channel, "envoy-" + i));
    }
  }

  /**
   * @param args port, streams, pools, pods a pool, entries a message
   */
  public static void main(String[] args) throws Exception {
    int[] n = IntStream.range(0, 5).map(i -> Integer.parseInt(args[i])).toArray();
    AccessLogLoad envoy = new AccessLogLoad(n[0], n[1], n[2], n[3], n[4]);
    Subprocess.answerEach(words -> envoy.obey(words[0], Integer.parseInt(words[1])));
  }

  private String obey(String command, int number) throws IOException, InterruptedException {
    switch (command) {
      case "prepare" -> prepare(number);
      case "open" -> say(number, Script::opens);
      case "beat" -> {
        say(number, Script::beats);
        say(1, Script::marks);
      }
      case "close" -> say(number, Script::closes);
      default -> throw new IOException("no command: " + command);
    }
    return "done";
  }

  private interface Part {
    List<byte[]> of(Script script);
  }

  private void say(int times, Part part) throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < streams; i++) {
      AccessLogStream envoy = envoys.get(i);
      List<byte[]> messages = part.of(scripts.get(i));
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int time = 0; time < times; time++) {
                      messages.forEach(envoy::send);
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
  }

  private void prepare(int connections) {
    AccessLogMessages messages = new AccessLogMessages(pools, pods, entries);
    List<Script> made = new ArrayList<>();
    for (int stream = 0; stream < streams; stream++) {
      List<String> ids = ids(connections / streams + (stream < connections % streams ? 1 : 0));
      List<String> marks = ids(pools);
      List<byte[]> closes = new ArrayList<>(messages.of(ids, AccessLogType.DownstreamEnd));
      closes.addAll(messages.of(marks, AccessLogType.DownstreamEnd));
      made.add(
          new Script(
              messages.of(ids, AccessLogType.DownstreamTunnelSuccessfullyEstablished),
              messages.of(ids, AccessLogType.DownstreamPeriodic),
              messages.of(marks, AccessLogType.DownstreamTunnelSuccessfullyEstablished),
              closes));
    }
    scripts = made;
  }

  private List<String> ids(int count) {
    return Stream.generate(() -> ConnectionIds.next(FIRST_ID_MS + prepared++))
        .limit(count)
        .toList();
  }
}
