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
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * How the first check of a fresh ledger compares with its thousandth: one check at a time, by a
 * client that has made hundreds of connections before. The first is also the first of its
 * connection, so after a thousand the client connects again. Beside it the same with a server that
 * does nothing and has done so many times: what is not the ledger's. Inside is what the ledger
 * itself measured between question and answer.
 */
final class FirstCheck {

  private static final Map<String, Integer> DEFAULTS = Map.of("starts", 5);
  private static final int CHECKS = 1_000;
  private static final int WARM_UP = 20_000;
  private static final int WARM_UP_CONNECTIONS = 500;
  private static final String INSIDE = "ledger_decision_seconds_sum{outcome=\"allowed\"}";
  private static final Ticker TICKER = Ticker.system();

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
      System.out.println("µs               1st  1,001st     2nd    3rd   10th  median 991-1000");
      for (int start = 1; start <= options.get("starts"); start++) {
        show("warm server", checks(warmPort), connected(warmPort));
        ledger(Files.createDirectory(dir.resolve("ledger-" + start)));
      }
    }
    // After a failure it stays, with the logs.
    Directories.delete(dir);
  }

  private static void ledger(Path dir) throws Exception {
    Ports ports = Ports.free();
    Shape shape = new Shape(1, 10, 1_000, Duration.ofSeconds(10), Duration.ofSeconds(15));
    try (LedgerProcess ledger = LedgerProcess.start(dir, ports, shape)) {
      ledger.awaitReady(Duration.ofMinutes(2));
      long[] micros = new long[CHECKS];
      double first;
      try (Client client = Client.connect(ports.authz())) {
        micros[0] = client.check();
        first = ledger.metric(INSIDE);
        System.arraycopy(client.checks(CHECKS - 1), 0, micros, 1, CHECKS - 1);
      }
      double others = (ledger.metric(INSIDE) - first) / (CHECKS - 1);
      show("ledger", micros, connected(ports.authz()));
      System.out.printf(
          Locale.ROOT,
          "  inside     %,6.0f, mean of the others %,.0f%n",
          first * 1e6,
          others * 1e6);
    }
  }

  private static long[] checks(int port) throws Exception {
    try (Client client = Client.connect(port)) {
      return client.checks(CHECKS);
    }
  }

  /** The first check of a new connection. */
  private static long connected(int port) throws Exception {
    try (Client client = Client.connect(port)) {
      return client.check();
    }
  }

  private static void show(String name, long[] micros, long again) {
    long[] last = Arrays.copyOfRange(micros, CHECKS - 10, CHECKS);
    Arrays.sort(last);
    System.out.printf(
        Locale.ROOT,
        "%-12s %,7d  %,7d %,7d %,6d %,6d %,16d%n",
        name,
        micros[0],
        again,
        micros[1],
        micros[2],
        micros[9],
        (last[4] + last[5]) / 2);
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
    long check() {
      long start = TICKER.nowNanos();
      stub.check(request);
      return (TICKER.nowNanos() - start) / 1_000;
    }

    long[] checks(int count) {
      long[] micros = new long[count];
      for (int i = 0; i < count; i++) {
        micros[i] = check();
      }
      return micros;
    }

    @Override
    public void close() throws InterruptedException {
      channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
    }
  }
}
