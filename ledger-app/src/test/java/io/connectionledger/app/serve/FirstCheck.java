package io.connectionledger.app.serve;

import io.connectionledger.model.Ticker;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Measures how much slower the first checks of a fresh process are than its thousandth: round trips
 * in microseconds, one check at a time over one connection that was made before. The asking side is
 * warm: it has sent as many checks to a server of its own.
 */
final class FirstCheck {

  private static final int CHECKS = 1_000;
  private static final int OWN_CHECKS = 20_000;
  private static final String POOLS =
      "{ chat: { per-pod-max-connections: 500,"
          + " pods: [{ name: pod-1, address: '127.0.0.1:9001' }] } }";

  private FirstCheck() {}

  /**
   * Prints a line for each start.
   *
   * @param args how many starts, the durability, and further options of the virtual machine
   */
  public static void main(String[] args) throws Exception {
    int starts = args.length > 0 ? Integer.parseInt(args[0]) : 5;
    String durability = args.length > 1 ? args[1] : "fast";
    List<String> options =
        args.length > 2 ? Arrays.asList(args).subList(2, args.length) : List.of();
    warmTheAskingSide();
    System.out.println("start    1st    2nd    3rd   10th  median 1-10  median 991-1000");
    for (int start = 1; start <= starts; start++) {
      Path folder = Files.createTempDirectory("first-check");
      try (FreshLedger ledger = FreshLedger.start(folder, options, durability, POOLS);
          Checks checks = Checks.connect(ledger.port("authz"))) {
        System.out.println(line(start, roundTrips(checks, CHECKS)));
      }
    }
  }

  private static String line(int start, long[] micros) {
    return String.format(
        Locale.ROOT,
        "%5d %6d %6d %6d %6d %12d %16d",
        start,
        micros[0],
        micros[1],
        micros[2],
        micros[9],
        median(micros, 0),
        median(micros, CHECKS - 10));
  }

  private static long median(long[] micros, int from) {
    long[] ten = Arrays.copyOfRange(micros, from, from + 10);
    Arrays.sort(ten);
    return (ten[4] + ten[5]) / 2;
  }

  private static long[] roundTrips(Checks checks, int count) {
    Ticker ticker = Ticker.system();
    CheckRequest request = Checks.webSocket("chat");
    long[] micros = new long[count];
    for (int i = 0; i < count; i++) {
      long startNanos = ticker.nowNanos();
      checks.send(request);
      micros[i] = (ticker.nowNanos() - startNanos) / 1_000;
    }
    return micros;
  }

  private static void warmTheAskingSide() throws IOException, InterruptedException {
    Server server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .directExecutor()
            .addService(new AllowAll())
            .build()
            .start();
    try (Checks checks = Checks.connect(server.getPort())) {
      roundTrips(checks, OWN_CHECKS);
    } finally {
      server.shutdownNow().awaitTermination();
    }
  }

  private static final class AllowAll extends AuthorizationGrpc.AuthorizationImplBase {
    @Override
    public void check(CheckRequest request, StreamObserver<CheckResponse> responses) {
      responses.onNext(CheckResponse.getDefaultInstance());
      responses.onCompleted();
    }
  }
}
