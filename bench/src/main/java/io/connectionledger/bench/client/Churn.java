package io.connectionledger.bench.client;

import com.google.protobuf.Struct;
import io.connectionledger.bench.client.AccessLogMessages.Admitted;
import io.connectionledger.bench.process.LedgerProcess;
import io.connectionledger.bench.process.Subprocess;
import io.connectionledger.model.Ticker;
import io.envoyproxy.envoy.data.accesslog.v3.AccessLogType;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc.AuthorizationStub;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;

/**
 * Clients that come and go, and the Envoys that tell of them: so many checks a second, each allowed
 * one opens, is repeated in every heartbeat and closes when its life is over. Answers each line of
 * its input with how many checks were allowed and how many were not, how many connections are open,
 * and the median and the 99th percentile of a check's microseconds since the line before. After the
 * line {@link #HOLD} nobody comes or leaves any more.
 */
public final class Churn {

  /** What is open stays, and is repeated in every heartbeat. */
  public static final String HOLD = "hold";

  private static final int ENVOYS = 4;
  private static final int ENTRIES = 1_000;
  private static final int STEPS = 16;

  /** One more is given up at once, as an Envoy's patience ends: a cold ledger is soon behind. */
  private static final int MAX_ASKING = 5_000;

  private static final long REPORT_NANOS = Duration.ofMillis(100).toNanos();
  private static final Ticker TICKER = Ticker.system();

  private final CheckRequest request = CheckClient.request(0);
  private final AtomicLong allowed = new AtomicLong();
  private final AtomicLong other = new AtomicLong();
  private final AtomicLong open = new AtomicLong();
  private final AtomicLong asking = new AtomicLong();
  private volatile boolean holding;

  /** Of the checks' times, {@link #STEPS} for each doubling of a microsecond. */
  private final AtomicLongArray times = new AtomicLongArray(STEPS * 32);

  /** What one Envoy tells; its queue alone is used by two threads. */
  private final class Envoy implements Runnable {
    private final AuthorizationStub checks;
    private final AccessLogStream log;
    private final long lifeNanos;
    private final long heartbeatNanos;
    private final Queue<Admitted> admitted = new ConcurrentLinkedQueue<>();
    private final ArrayDeque<Open> connections = new ArrayDeque<>();

    private record Open(Admitted connection, long untilNanos) {}

    Envoy(int index, int authz, int als, long lifeNanos, long heartbeatNanos) {
      this.lifeNanos = lifeNanos;
      this.heartbeatNanos = heartbeatNanos;
      checks =
          AuthorizationGrpc.newStub(
              NettyChannelBuilder.forAddress("127.0.0.1", authz)
                  .usePlaintext()
                  .directExecutor()
                  .build());
      log =
          AccessLogStream.open(
              NettyChannelBuilder.forAddress("127.0.0.1", als).usePlaintext().build(),
              "envoy-" + index);
    }

    @Override
    public void run() {
      long beatNanos = TICKER.nowNanos() + heartbeatNanos;
      for (long next = TICKER.nowNanos(); ; next += REPORT_NANOS) {
        waitUntil(next);
        long nowNanos = TICKER.nowNanos();
        report(nowNanos);
        if (nowNanos >= beatNanos) {
          beatNanos += heartbeatNanos;
          say(
              connections.stream().map(Open::connection).toList(),
              AccessLogType.DownstreamPeriodic);
        }
      }
    }

    private void report(long nowNanos) {
      List<Admitted> opened = new ArrayList<>();
      for (Admitted next = admitted.poll(); next != null; next = admitted.poll()) {
        opened.add(next);
        connections.add(new Open(next, nowNanos + lifeNanos));
      }
      say(opened, AccessLogType.DownstreamTunnelSuccessfullyEstablished);
      List<Admitted> closed = new ArrayList<>();
      while (!holding && !connections.isEmpty() && connections.element().untilNanos <= nowNanos) {
        closed.add(connections.remove().connection);
      }
      say(closed, AccessLogType.DownstreamEnd);
      open.addAndGet(opened.size() - closed.size());
      asking.addAndGet(-opened.size());
    }

    private void say(List<Admitted> what, AccessLogType type) {
      AccessLogMessages.said(what, type, ENTRIES).forEach(log::send);
    }

    void check() {
      if (asking.get() >= MAX_ASKING) {
        other.incrementAndGet();
        return;
      }
      long askedNanos = TICKER.nowNanos();
      asking.incrementAndGet();
      checks.check(
          request,
          new StreamObserver<>() {
            @Override
            public void onNext(CheckResponse response) {
              if (!response.hasOkResponse()) {
                notAdmitted();
                return;
              }
              Struct metadata = response.getDynamicMetadata();
              String pod = metadata.getFieldsOrThrow("pod").getStringValue();
              allowed.incrementAndGet();
              admitted.add(
                  new Admitted(
                      LedgerProcess.pool(0),
                      pod.substring(0, pod.indexOf(':')),
                      metadata.getFieldsOrThrow("reservation").getStringValue()));
            }

            @Override
            public void onError(Throwable failure) {
              notAdmitted();
            }

            @Override
            public void onCompleted() {
              double micros = Math.max(1, (TICKER.nowNanos() - askedNanos) / 1e3);
              times.incrementAndGet(
                  Math.min(times.length() - 1, (int) (STEPS * Math.log(micros) / Math.log(2))));
            }
          });
    }
  }

  private void notAdmitted() {
    other.incrementAndGet();
    asking.decrementAndGet();
  }

  /**
   * @param args ports of ext_authz and of the access log, checks a second, seconds of a connection,
   *     seconds between heartbeats
   */
  public static void main(String[] args) throws Exception {
    Churn churn = new Churn();
    Duration life = Duration.ofSeconds(Long.parseLong(args[3]));
    Duration heartbeat = Duration.ofSeconds(Long.parseLong(args[4]));
    List<Envoy> envoys = new ArrayList<>();
    for (int i = 0; i < ENVOYS; i++) {
      envoys.add(
          churn
          .new Envoy(
              i,
              Integer.parseInt(args[0]),
              Integer.parseInt(args[1]),
              life.toNanos(),
              heartbeat.toNanos()));
    }
    envoys.forEach(envoy -> Thread.ofPlatform().daemon().start(envoy));
    int perSecond = Integer.parseInt(args[2]);
    Thread.ofPlatform().daemon().start(() -> churn.ask(envoys, perSecond));
    Subprocess.answerEach(words -> words[0].equals(HOLD) ? churn.hold() : churn.answer());
  }

  /** Answers once everybody who asked is in or not. */
  private String hold() {
    holding = true;
    while (asking.get() > 0) {
      waitUntil(TICKER.nowNanos() + REPORT_NANOS);
    }
    return answer();
  }

  private String answer() {
    long[] counts = new long[times.length()];
    Arrays.setAll(counts, step -> times.getAndSet(step, 0));
    return String.format(
        Locale.ROOT,
        "%d %d %d %.0f %.0f",
        allowed.get(),
        other.get(),
        open.get(),
        percentile(counts, 0.5),
        percentile(counts, 0.99));
  }

  private static double percentile(long[] counts, double part) {
    long left = (long) (Arrays.stream(counts).sum() * part);
    int step = 0;
    while (step < counts.length - 1 && left >= counts[step]) {
      left -= counts[step];
      step++;
    }
    return Math.pow(2, (step + 0.5) / STEPS);
  }

  private void ask(List<Envoy> envoys, int perSecond) {
    long startNanos = TICKER.nowNanos();
    for (long i = 0; !holding; i++) {
      waitUntil(startNanos + i * 1_000_000_000L / perSecond);
      envoys.get((int) (i % ENVOYS)).check();
    }
  }

  private static void waitUntil(long nanos) {
    for (long left = nanos - TICKER.nowNanos(); left > 0; left = nanos - TICKER.nowNanos()) {
      LockSupport.parkNanos(left);
    }
  }
}
