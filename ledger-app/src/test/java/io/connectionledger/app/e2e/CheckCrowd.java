package io.connectionledger.app.e2e;

import io.connectionledger.testkit.CheckRequests;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;

/**
 * Asks several instances in turn, as Envoys do: with a second to answer, and with one retry on the
 * next instance when one cannot be reached.
 */
public final class CheckCrowd implements AutoCloseable {

  private static final int THREADS = 4;
  private static final int ASKERS = 8;
  private static final Duration PERIOD = Duration.ofMillis(50);

  /** An Envoy's. */
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  /** A slot whose answer comes too late is nobody's for a while. */
  private static final Duration RACERS_PATIENCE = Duration.ofSeconds(10);

  private final CheckRequest request;
  private final List<ManagedChannel> channels;
  private final AtomicInteger turn = new AtomicInteger();
  private final AtomicInteger allowed = new AtomicInteger();
  private final Map<String, Integer> answers = new ConcurrentHashMap<>();
  private volatile int avoided = -1;
  private final ScheduledExecutorService threads = Executors.newScheduledThreadPool(THREADS);

  private CheckCrowd(CheckRequest request, List<ManagedChannel> channels) {
    this.request = request;
    this.channels = channels;
  }

  /** One that does not ask by itself yet. */
  public static CheckCrowd of(String pool, List<Integer> ports) {
    return new CheckCrowd(
        CheckRequests.webSocket(pool, Map.of()),
        ports.stream()
            .<ManagedChannel>map(
                port -> NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build())
            .toList());
  }

  /** Asks by itself from now on, 80 times a second. */
  void start() {
    for (int thread = 0; thread < THREADS; thread++) {
      var unused =
          threads.scheduleAtFixedRate(this::ask, 0, PERIOD.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  private String ask() {
    int first = next();
    String answer = send(first, PATIENCE);
    if (answer.equals("unreachable")) {
      answer = send((first + 1) % channels.size(), PATIENCE);
    }
    String counted = answer.equals("unreachable") ? "failed" : answer;
    answers.merge(counted, 1, Integer::sum);
    return counted;
  }

  private int next() {
    int next = turn.getAndIncrement() % channels.size();
    return next == avoided ? (next + 1) % channels.size() : next;
  }

  /** Asks this instance no more, as an Envoy whose health check it fails. */
  void avoid(int instance) {
    avoided = instance;
  }

  /** Asks one instance, and what it admits is counted with the rest. */
  public String askOnly(int instance) {
    return send(instance, PATIENCE);
  }

  /**
   * Asks once for each of many clients that all come at the same moment, spread over all instances.
   *
   * @return what each was answered
   */
  public List<String> race(int clients) throws InterruptedException {
    try (ExecutorService racers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Callable<String>> checks =
          IntStream.range(0, clients)
              .<Callable<String>>mapToObj(
                  client -> () -> send(client % channels.size(), RACERS_PATIENCE))
              .toList();
      return racers.invokeAll(checks).stream().map(Future::resultNow).toList();
    }
  }

  private String send(int instance, Duration patience) {
    try {
      CheckResponse response =
          AuthorizationGrpc.newBlockingStub(channels.get(instance))
              .withDeadlineAfter(patience.toMillis(), TimeUnit.MILLISECONDS)
              .check(request);
      if (response.hasOkResponse()) {
        allowed.incrementAndGet();
        return "allowed";
      }
      return response.getDynamicMetadata().getFieldsOrThrow("reason").getStringValue();
    } catch (StatusRuntimeException failure) {
      channels.get(instance).resetConnectBackoff();
      return failure.getStatus().getCode() == Status.Code.UNAVAILABLE
          ? "unreachable"
          : failure.getStatus().getCode().toString();
    }
  }

  int allowed() {
    return allowed.get();
  }

  /** How often which answer came, retries apart. */
  Map<String, Integer> answers() {
    return Map.copyOf(answers);
  }

  /** How many of those were neither admitted nor rejected for want of room. */
  int failed() {
    return answers().entrySet().stream()
        .filter(answer -> !Set.of("allowed", "pod_limit").contains(answer.getKey()))
        .mapToInt(Map.Entry::getValue)
        .sum();
  }

  void awaitAllowed(int count) {
    Awaitility.await("admissions: " + count + " of " + answers)
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(20))
        .until(() -> allowed.get() >= count);
  }

  /** Asks, several at a time, until the pool is full and some more. */
  void fill() throws InterruptedException, ExecutionException {
    AtomicInteger asked = new AtomicInteger();
    AtomicInteger full = new AtomicInteger();
    Callable<Void> untilFull =
        () -> {
          while (full.get() < 100) {
            if (asked.incrementAndGet() > 20_000) {
              throw new AssertionError("the pool is never full: " + answers);
            }
            if (ask().equals("pod_limit")) {
              full.incrementAndGet();
            }
          }
          return null;
        };
    try (ExecutorService askers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Future<Void> asker : askers.invokeAll(Collections.nCopies(ASKERS, untilFull))) {
        asker.get();
      }
    }
  }

  @Override
  public void close() throws InterruptedException {
    threads.shutdownNow();
    for (ManagedChannel channel : channels) {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
  }
}
