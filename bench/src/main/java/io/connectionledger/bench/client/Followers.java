package io.connectionledger.bench.client;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.connectionledger.bench.process.LedgerProcess;
import io.connectionledger.bench.process.Subprocess;
import io.connectionledger.model.Ticker;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Follows a pool many times over, and asks about it so many times a second. Reads lines {@code
 * READERS QUERIES_PER_SECOND PAGES SECONDS}, where {@code PAGES} is 1 for the questions of the page
 * and 0 for those of a controller; answers {@code started} once all follow, and at the end {@code
 * BYTES EVENTS QUERIES FAILED}.
 */
public final class Followers {

  private static final Ticker TICKER = Ticker.system();
  private static final List<String> OF_A_CONTROLLER = List.of("connections");

  /** In five seconds. */
  private static final List<String> OF_A_PAGE =
      Stream.concat(
              Stream.of("history"),
              IntStream.range(0, 5)
                  .boxed()
                  .flatMap(second -> Stream.of("figures", "decisions?limit=200")))
          .toList();

  private static final byte[] EVENT = "\nevent: ".getBytes(UTF_8);

  private final int port;
  private final String pool = LedgerProcess.pool(0);
  private final AtomicLong queries = new AtomicLong();
  private final AtomicLong failed = new AtomicLong();
  private long bytes;
  private long events;

  private Followers(int port) {
    this.port = port;
  }

  public static void main(String[] args) throws Exception {
    int port = Integer.parseInt(args[0]);
    Subprocess.answerEach(
        words -> {
          Followers followers = new Followers(port);
          followers.run(
              Integer.parseInt(words[0]),
              Integer.parseInt(words[1]),
              words[2].equals("1") ? OF_A_PAGE : OF_A_CONTROLLER,
              Integer.parseInt(words[3]));
          return followers.bytes
              + " "
              + followers.events
              + " "
              + followers.queries
              + " "
              + followers.failed;
        });
  }

  private void run(int readers, int queriesPerSecond, List<String> questions, int seconds)
      throws IOException, InterruptedException {
    List<SocketChannel> channels = new ArrayList<>();
    try (Selector selector = Selector.open()) {
      for (int i = 0; i < readers; i++) {
        channels.add(follow(selector));
      }
      System.out.println("started");
      long untilNanos = TICKER.nowNanos() + seconds * 1_000_000_000L;
      Thread asking =
          Thread.ofPlatform()
              .start(() -> ask(questions, queriesPerSecond, queriesPerSecond * seconds));
      ByteBuffer buffer = ByteBuffer.allocateDirect(64 << 10);
      while (TICKER.nowNanos() < untilNanos) {
        selector.select(key -> read(key, buffer), 100);
      }
      asking.join();
    } finally {
      for (SocketChannel channel : channels) {
        channel.close();
      }
    }
  }

  private SocketChannel follow(Selector selector) throws IOException {
    SocketChannel channel =
        SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    String request = "GET /v1/pools/" + pool + "/stream HTTP/1.1\r\nHost: ledger\r\n\r\n";
    channel.write(ByteBuffer.wrap(request.getBytes(UTF_8)));
    channel.configureBlocking(false);
    channel.register(selector, SelectionKey.OP_READ);
    return channel;
  }

  private void read(SelectionKey key, ByteBuffer buffer) {
    // Only these are registered.
    SocketChannel channel = (SocketChannel) key.channel();
    buffer.clear();
    try {
      if (channel.read(buffer) < 0) {
        failed.incrementAndGet();
        key.cancel();
      }
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
    buffer.flip();
    bytes += buffer.remaining();
    count(buffer);
  }

  /** Those that two reads share are missed: few. */
  private void count(ByteBuffer buffer) {
    for (int i = 0; i + EVENT.length <= buffer.limit(); i++) {
      if (buffer.get(i) == '\n' && buffer.slice(i, EVENT.length).equals(ByteBuffer.wrap(EVENT))) {
        events++;
      }
    }
  }

  private void ask(List<String> questions, int perSecond, int count) {
    String base = "http://127.0.0.1:" + port + "/v1/pools/" + pool + "/";
    List<HttpRequest> requests =
        questions.stream()
            .map(question -> HttpRequest.newBuilder(URI.create(base + question)).build())
            .toList();
    try (HttpClient client = HttpClient.newHttpClient()) {
      long startNanos = TICKER.nowNanos();
      for (int i = 0; i < count; i++) {
        long dueNanos = startNanos + i * 1_000_000_000L / perSecond;
        for (long left = dueNanos - TICKER.nowNanos();
            left > 0;
            left = dueNanos - TICKER.nowNanos()) {
          LockSupport.parkNanos(left);
        }
        HttpRequest request = requests.get(i % requests.size());
        if (client.send(request, HttpResponse.BodyHandlers.ofByteArray()).statusCode() != 200) {
          failed.incrementAndGet();
        }
        queries.incrementAndGet();
      }
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
    }
  }
}
