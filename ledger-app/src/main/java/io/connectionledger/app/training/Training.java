package io.connectionledger.app.training;

import io.connectionledger.app.cli.FailedException;
import io.connectionledger.app.client.LedgerApi;
import io.connectionledger.model.Ticker;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/**
 * What servers do all day: checks of every outcome, opens, heartbeats and closes, queries, in the
 * pools of {@link ServerProcess}.
 */
final class Training {

  private static final int CHECKS_A_ROUND = 200;
  private static final int QUERIES_EVERY = 10;
  private static final int STEPS_SHOWN = 5;
  private static final Duration READY = Duration.ofMinutes(2);

  /** What a round asks for, in turns; most are admitted. */
  private static final List<String> POOLS =
      List.of("open-1", "open-2", "full", "open-1", "limited", "open-2", "failing", "empty");

  private static final List<String> QUERIES =
      List.of("connections", "rejections", "scaling", "readiness", "detailed", "policy");

  private Training() {}

  /** Goes through {@code rounds}, with the servers in turns, and shows how far it is. */
  static void run(int rounds, List<ServerProcess> processes) throws Exception {
    List<Server> servers = new ArrayList<>();
    try {
      for (ServerProcess process : processes) {
        servers.add(new Server(process));
      }
      for (int round = 1; round <= rounds; round++) {
        Server server = servers.get(round % servers.size());
        server.round();
        if (round % QUERIES_EVERY == 0) {
          server.query();
        }
        if (round % Math.ceilDiv(rounds, STEPS_SHOWN) == 0) {
          System.err.println("  " + 100 * round / rounds + " %");
        }
      }
    } finally {
      for (Server server : servers) {
        server.close();
      }
    }
  }

  /** One that is trained with. */
  private static final class Server implements AutoCloseable {
    private final ManagedChannel logChannel;
    private final ManagedChannel checkChannel;
    private final LedgerApi api;
    private final TrainingLog log;
    private final TrainingChecks checks;
    private List<Admitted> open = List.of();

    Server(ServerProcess process) throws Exception {
      logChannel = channel(process.port("als"));
      checkChannel = channel(process.port("authz"));
      api = new LedgerApi(URI.create("http://127.0.0.1:" + process.port("http")));
      awaitReady(Ticker.system());
      log = new TrainingLog(logChannel, "training-" + process.port("als"));
      checks = new TrainingChecks(checkChannel);
    }

    private static ManagedChannel channel(int port) {
      return NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
    }

    private void awaitReady(Ticker ticker) throws FailedException {
      long untilNanos = ticker.nowNanos() + READY.toNanos();
      while (!isReady(ticker.nowNanos() > untilNanos)) {
        LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
      }
    }

    private boolean isReady(boolean late) throws FailedException {
      try {
        api.text("/health/ready");
        return true;
      } catch (FailedException notYet) {
        if (late) {
          throw notYet;
        }
        return false;
      }
    }

    void round() throws Exception {
      for (int i = 0; i < CHECKS_A_ROUND; i++) {
        checks.handshake(POOLS.get(i % POOLS.size()));
      }
      checks.plainRequest("open-1");
      Map<Boolean, List<Admitted>> admitted =
          checks.admitted().stream()
              .collect(Collectors.partitioningBy(each -> each.pool().equals("failing")));
      log.failed(admitted.getOrDefault(true, List.of()));
      List<Admitted> opened = admitted.getOrDefault(false, List.of());
      log.opened(opened);
      log.alive(opened);
      log.closed(open);
      open = opened;
    }

    void query() throws FailedException {
      for (String path : List.of("/v1/pools", "/metrics")) {
        api.text(path);
      }
      for (String what : QUERIES) {
        api.text(LedgerApi.ofPool("open-1", what));
      }
    }

    @Override
    public void close() throws InterruptedException {
      log.closed(open);
      log.close();
      checkChannel.shutdownNow();
      logChannel.shutdownNow();
    }
  }
}
