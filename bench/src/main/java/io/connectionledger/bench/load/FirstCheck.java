package io.connectionledger.bench.load;

import io.connectionledger.bench.load.LedgerProcess.Ports;
import io.connectionledger.bench.load.LedgerProcess.Shape;
import io.connectionledger.model.Ticker;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc.AuthorizationBlockingStub;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * How the first check of a fresh ledger compares with its thousandth: one check at a time, by a
 * client that has made hundreds of connections before. The first is also the first of its
 * connection and comes after a time without any, so after a thousand the client waits for a second
 * and connects again. Beside it the same with a server that does nothing and has done so many
 * times: what is not the ledger's. Inside is what the ledger itself measured between question and
 * answer.
 */
final class FirstCheck {

  private static final Map<String, Integer> DEFAULTS = Map.of("starts", 5);
  private static final int CHECKS = 1_000;
  private static final int WARM_UP = 20_000;
  private static final int WARM_UP_CONNECTIONS = 500;

  /** Before the first of a fresh process there were no checks, either. */
  private static final Duration QUIET = Duration.ofSeconds(1);

  private static final String INSIDE = "ledger_decision_seconds_sum{outcome=\"allowed\"}";
  private static final Ticker TICKER = Ticker.system();

  private final Map<String, List<Double>> figures = new LinkedHashMap<>();

  private FirstCheck() {}

  public static void main(String[] args) throws Exception {
    Options options = Options.parse(args, DEFAULTS);
    System.out.println(Machine.describe());
    System.out.println("first " + options);
    Path dir = Files.createTempDirectory("ledger-bench");
    try (JavaProcess warm =
        JavaProcess.start(dir.resolve("nothing.log"), "1g", DoNothingServer.class.getName())) {
      int warmPort = Integer.parseInt(warm.answer());
      try (Client client = Client.connect(warmPort)) {
        client.checks(WARM_UP);
      }
      for (int i = 0; i < WARM_UP_CONNECTIONS; i++) {
        try (Client client = Client.connect(warmPort)) {
          client.checks(10);
        }
      }
      FirstCheck bench = new FirstCheck();
      System.out.println("µs                1st  1,001st  1,000th");
      for (int start = 1; start <= options.get("starts"); start++) {
        bench.nothing(warmPort);
        bench.ledger(Files.createDirectory(dir.resolve("ledger-" + start)));
      }
      bench.figures.forEach(
          (name, values) -> System.out.println(name + " " + Spread.of(values).show(2)));
    }
    // After a failure it stays, with the logs.
    Directories.delete(dir);
  }

  private void nothing(int port) throws Exception {
    double first;
    double thousandth;
    try (Client client = Client.connect(port)) {
      first = client.check();
      thousandth = client.thousandth();
    }
    LockSupport.parkNanos(QUIET.toNanos());
    try (Client client = Client.connect(port)) {
      note("nothing", first, client.check(), thousandth);
    }
  }

  private void ledger(Path dir) throws Exception {
    Ports ports = Ports.free();
    Shape shape = new Shape(1, 10, 1_000, Duration.ofSeconds(10), Duration.ofSeconds(15));
    try (LedgerProcess ledger = LedgerProcess.start(dir, ports, shape)) {
      double first;
      double thousandth;
      double insideFirst;
      ledger.awaitReady(Duration.ofMinutes(2));
      try (Client client = Client.connect(ports.authz())) {
        first = client.check();
        insideFirst = ledger.metric(INSIDE);
        thousandth = client.thousandth();
      }
      double inside = ledger.metric(INSIDE);
      LockSupport.parkNanos(QUIET.toNanos());
      try (Client client = Client.connect(ports.authz())) {
        note("ledger", first, client.check(), thousandth);
      }
      note("inside", insideFirst * 1e6, (ledger.metric(INSIDE) - inside) * 1e6);
    }
  }

  private void note(String name, double first, double again, double thousandth) {
    note(name, first, again);
    figure(name + " 1,000th", thousandth);
    System.out.printf(Locale.ROOT, "%-12s %,8.0f %,8.0f %,8.0f%n", name, first, again, thousandth);
  }

  private void note(String name, double first, double again) {
    figure(name + " 1st    ", first);
    figure(name + " 1,001st", again);
    figure(name + " ratio  ", first / again);
  }

  private void figure(String name, double value) {
    figures.computeIfAbsent(name, unused -> new ArrayList<>()).add(value);
  }

  private record Client(
      ManagedChannel channel, AuthorizationBlockingStub stub, CheckRequest request)
      implements AutoCloseable {

    static Client connect(int port) throws Exception {
      ManagedChannel channel =
          NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().directExecutor().build();
      Wait.until(
          "the connection is there",
          Duration.ofSeconds(10),
          () -> channel.getState(true) == ConnectivityState.READY);
      return new Client(
          channel, AuthorizationGrpc.newBlockingStub(channel), CheckClient.request(0));
    }

    /** A round trip in microseconds. */
    double check() {
      long start = TICKER.nowNanos();
      stub.check(request);
      return (TICKER.nowNanos() - start) / 1e3;
    }

    void checks(int count) {
      for (int i = 0; i < count; i++) {
        check();
      }
    }

    /** After the first: the median of the ten up to the thousandth, in microseconds. */
    double thousandth() {
      checks(CHECKS - 11);
      return Spread.of(Stream.generate(this::check).limit(10).toList()).median();
    }

    @Override
    public void close() throws InterruptedException {
      channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
    }
  }
}
