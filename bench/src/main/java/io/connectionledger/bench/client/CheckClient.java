package io.connectionledger.bench.client;

import io.connectionledger.bench.process.LedgerProcess;
import io.connectionledger.bench.process.Subprocess;
import io.connectionledger.model.Ticker;
import io.envoyproxy.envoy.service.auth.v3.AttributeContext;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc.AuthorizationStub;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a fixed number of checks in flight. Reads lines {@code PORT SECONDS} and answers each with
 * a {@link Round}.
 */
public final class CheckClient {

  private static final int MAX_SAMPLES = 4_000_000;
  private static final Ticker TICKER = Ticker.system();

  private final int connections;
  private final int inFlight;
  private final int pools;

  /** Of the authority that signs the servers' certificates; null for plain text. */
  private final @Nullable File authority;

  private final Map<Integer, List<AuthorizationStub>> stubs = new HashMap<>();
  private final long[] latencies = new long[MAX_SAMPLES];

  /** What a round brought; latencies in microseconds. */
  public record Round(
      long checks, long allowed, long failed, double seconds, double p50, double p99, double p999) {

    String line() {
      return String.join(
          " ",
          Long.toString(checks),
          Long.toString(allowed),
          Long.toString(failed),
          Double.toString(seconds),
          Double.toString(p50),
          Double.toString(p99),
          Double.toString(p999));
    }

    public static Round parse(String line) {
      String[] f = line.split(" ", -1);
      return new Round(
          Long.parseLong(f[0]),
          Long.parseLong(f[1]),
          Long.parseLong(f[2]),
          Double.parseDouble(f[3]),
          Double.parseDouble(f[4]),
          Double.parseDouble(f[5]),
          Double.parseDouble(f[6]));
    }

    public double perSecond() {
      return checks / seconds;
    }
  }

  private CheckClient(int connections, int inFlight, int pools, @Nullable File authority) {
    this.authority = authority;
    this.connections = connections;
    this.inFlight = inFlight;
    this.pools = pools;
  }

  public static void main(String[] args) throws Exception {
    CheckClient client =
        new CheckClient(
            Integer.parseInt(args[0]),
            Integer.parseInt(args[1]),
            Integer.parseInt(args[2]),
            args.length > 3 ? new File(args[3]) : null);
    Subprocess.answerEach(
        words -> client.run(Integer.parseInt(words[0]), Integer.parseInt(words[1])).line());
  }

  private Round run(int port, int seconds) throws InterruptedException {
    List<AuthorizationStub> targets = stubs.computeIfAbsent(port, this::connect);
    Tally tally = new Tally(TICKER.nowNanos() + seconds * 1_000_000_000L, inFlight);
    long start = TICKER.nowNanos();
    for (int i = 0; i < inFlight; i++) {
      new Slot(targets.get(i % connections), request(i % pools), tally).next();
    }
    tally.done.await();
    double elapsed = (tally.lastNanos.get() - start) / 1e9;
    int samples = Math.min(MAX_SAMPLES, tally.samples.get());
    Arrays.sort(latencies, 0, samples);
    return new Round(
        tally.samples.get(),
        tally.allowed.get(),
        tally.failed.get(),
        elapsed,
        percentile(samples, 0.5),
        percentile(samples, 0.99),
        percentile(samples, 0.999));
  }

  private double percentile(int samples, double part) {
    return samples == 0 ? 0 : latencies[(int) ((samples - 1) * part)] / 1e3;
  }

  private List<AuthorizationStub> connect(int port) {
    ChannelCredentials credentials = credentials();
    List<AuthorizationStub> connected = new ArrayList<>();
    for (int i = 0; i < connections; i++) {
      ManagedChannel channel =
          NettyChannelBuilder.forAddress("127.0.0.1", port, credentials)
              .overrideAuthority("ledger")
              .directExecutor()
              .build();
      connected.add(AuthorizationGrpc.newStub(channel));
    }
    return connected;
  }

  private ChannelCredentials credentials() {
    if (authority == null) {
      return InsecureChannelCredentials.create();
    }
    try {
      return TlsChannelCredentials.newBuilder().trustManager(authority).build();
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  /** What Envoy sends for a browser's handshake. */
  public static CheckRequest request(int pool) {
    AttributeContext.HttpRequest.Builder http =
        AttributeContext.HttpRequest.newBuilder()
            .setId("8429127317862917421")
            .setMethod("GET")
            .setPath("/chat/rooms/4711")
            .setHost("chat.example.com")
            .setScheme("https")
            .setProtocol("HTTP/1.1")
            .putAllHeaders(
                Map.ofEntries(
                    Map.entry(":authority", "chat.example.com"),
                    Map.entry(":method", "GET"),
                    Map.entry(":path", "/chat/rooms/4711"),
                    Map.entry(":scheme", "https"),
                    Map.entry("connection", "Upgrade"),
                    Map.entry("upgrade", "websocket"),
                    Map.entry("sec-websocket-version", "13"),
                    Map.entry("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
                    Map.entry("origin", "https://chat.example.com"),
                    Map.entry("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0)"),
                    Map.entry("x-forwarded-proto", "https"),
                    Map.entry("x-request-id", "6f9e6c5e-4d1c-4e0b-9a53-6c1d8f1b7a10")));
    return CheckRequest.newBuilder()
        .setAttributes(
            AttributeContext.newBuilder()
                .setRequest(AttributeContext.Request.newBuilder().setHttp(http))
                .putContextExtensions("pool", LedgerProcess.pool(pool)))
        .build();
  }

  private static final class Tally {
    final long deadlineNanos;
    final CountDownLatch done;
    final AtomicInteger samples = new AtomicInteger();
    final AtomicLong allowed = new AtomicLong();
    final AtomicLong failed = new AtomicLong();
    final AtomicLong lastNanos = new AtomicLong();

    Tally(long deadlineNanos, int slots) {
      this.deadlineNanos = deadlineNanos;
      this.done = new CountDownLatch(slots);
    }
  }

  /** One check in flight, and the next when it is answered. */
  private final class Slot implements StreamObserver<CheckResponse> {
    private final AuthorizationStub stub;
    private final CheckRequest request;
    private final Tally tally;
    private long startedNanos;

    Slot(AuthorizationStub stub, CheckRequest request, Tally tally) {
      this.stub = stub;
      this.request = request;
      this.tally = tally;
    }

    void next() {
      startedNanos = TICKER.nowNanos();
      if (startedNanos >= tally.deadlineNanos) {
        tally.lastNanos.accumulateAndGet(startedNanos, Math::max);
        tally.done.countDown();
      } else {
        stub.check(request, this);
      }
    }

    @Override
    public void onNext(CheckResponse response) {
      if (response.hasOkResponse()) {
        tally.allowed.incrementAndGet();
      }
    }

    @Override
    public void onError(Throwable failure) {
      tally.failed.incrementAndGet();
      next();
    }

    @Override
    public void onCompleted() {
      int sample = tally.samples.getAndIncrement();
      if (sample < MAX_SAMPLES) {
        latencies[sample] = TICKER.nowNanos() - startedNanos;
      }
      next();
    }
  }
}
