package io.connectionledger.admission;

import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.grpc.ManagedChannel;
import java.util.concurrent.TimeUnit;

/**
 * Checks for a ledger of which Java keeps what it learns: unlike those of {@link Warmup} they take
 * the way of every other check, through the real port and on to Kafka and the stores.
 */
public final class TrainingChecks {

  private static final int CONNECTIONS = 200;
  private static final int CHECKS_PER_CONNECTION = 10;
  private static final int TIMEOUT_SECONDS = 10;

  private TrainingChecks() {}

  /**
   * Sends them, one after another, and returns when the last is answered, in whatever way.
   *
   * @param authzPort of this machine
   * @param pool that each of them names
   * @throws io.grpc.StatusRuntimeException when one is not answered
   */
  public static void send(int authzPort, String pool) {
    CheckRequest request = Warmup.handshake(pool);
    for (int i = 0; i < CONNECTIONS; i++) {
      ManagedChannel channel = Warmup.channelTo(authzPort);
      try {
        for (int sent = 0; sent < CHECKS_PER_CONNECTION; sent++) {
          AuthorizationGrpc.newBlockingStub(channel)
              .withDeadlineAfter(TIMEOUT_SECONDS, TimeUnit.SECONDS)
              .check(request);
        }
      } finally {
        channel.shutdownNow();
      }
    }
  }
}
