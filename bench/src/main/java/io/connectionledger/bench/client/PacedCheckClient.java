package io.connectionledger.bench.client;

import io.connectionledger.bench.client.CheckClient.Round;
import io.connectionledger.bench.process.Subprocess;
import io.connectionledger.model.Ticker;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc.AuthorizationStub;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Phaser;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Sends so many checks a second, whether the last are answered or not. A check's time runs from
 * when it should have been sent. Reads lines {@code SECONDS PER_SECOND} and answers each with a
 * {@link Round}.
 */
public final class PacedCheckClient {

  private static final int MAX_SAMPLES = 4_000_000;
  private static final Ticker TICKER = Ticker.system();

  private final List<AuthorizationStub> stubs = new ArrayList<>();
  private final CheckRequest request = CheckClient.request(0);
  private final long[] latencies = new long[MAX_SAMPLES];

  private PacedCheckClient(int port, int connections) {
    for (int i = 0; i < connections; i++) {
      stubs.add(
          AuthorizationGrpc.newStub(
              NettyChannelBuilder.forAddress("127.0.0.1", port)
                  .usePlaintext()
                  .directExecutor()
                  .build()));
    }
  }

  public static void main(String[] args) throws Exception {
    PacedCheckClient client =
        new PacedCheckClient(Integer.parseInt(args[0]), Integer.parseInt(args[1]));
    Subprocess.answerEach(
        words -> client.run(Integer.parseInt(words[0]), Integer.parseInt(words[1])).line());
  }

  private Round run(int seconds, int perSecond) {
    Tally tally = new Tally();
    long startNanos = TICKER.nowNanos();
    int checks = seconds * perSecond;
    for (int i = 0; i < checks; i++) {
      long dueNanos = startNanos + i * 1_000_000_000L / perSecond;
      for (long left = dueNanos - TICKER.nowNanos();
          left > 0;
          left = dueNanos - TICKER.nowNanos()) {
        LockSupport.parkNanos(left);
      }
      tally.inFlight.register();
      stubs.get(i % stubs.size()).check(request, new Sample(tally, dueNanos));
    }
    tally.inFlight.arriveAndAwaitAdvance();
    int samples = Math.min(MAX_SAMPLES, tally.samples.get());
    Arrays.sort(latencies, 0, samples);
    return new Round(
        checks,
        tally.allowed.get(),
        tally.failed.get(),
        (TICKER.nowNanos() - startNanos) / 1e9,
        percentile(samples, 0.5),
        percentile(samples, 0.99),
        percentile(samples, 0.999));
  }

  private double percentile(int samples, double part) {
    return samples == 0 ? 0 : latencies[(int) ((samples - 1) * part)] / 1e3;
  }

  private static final class Tally {
    final Phaser inFlight = new Phaser(1);
    final AtomicInteger samples = new AtomicInteger();
    final AtomicLong allowed = new AtomicLong();
    final AtomicLong failed = new AtomicLong();
  }

  private final class Sample implements StreamObserver<CheckResponse> {
    private final Tally tally;
    private final long dueNanos;

    Sample(Tally tally, long dueNanos) {
      this.tally = tally;
      this.dueNanos = dueNanos;
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
      tally.inFlight.arriveAndDeregister();
    }

    @Override
    public void onCompleted() {
      int sample = tally.samples.getAndIncrement();
      if (sample < MAX_SAMPLES) {
        latencies[sample] = TICKER.nowNanos() - dueNanos;
      }
      tally.inFlight.arriveAndDeregister();
    }
  }
}
