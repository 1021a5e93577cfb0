package io.connectionledger.kubernetes.leader;

import io.connectionledger.model.Ticker;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderElectionConfig;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderElectionConfigBuilder;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderElector;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaderElectionRecord;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaseLock;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether this instance is the one that writes to the API server: the holder of a Lease, for which
 * it stands again whenever it has lost it. Thread-safe.
 *
 * <p>The answer turns to no by itself when the Lease has not been renewed for as long as it lasts,
 * by this instance's own clock and from before the renewal was sent: an instance that was paused or
 * cut off stops before another one begins.
 */
public final class Leadership implements AutoCloseable {

  /** The name of the Lease. */
  public static final String LEASE = "connection-ledger-status";

  /**
   * How a Lease is held; those of Kubernetes' own controllers by default.
   *
   * @param lease how long it lasts when it is not renewed
   * @param renewal how long renewing is tried
   * @param retry how often it is tried
   */
  public record Terms(Duration lease, Duration renewal, Duration retry) {

    public static final Terms USUAL =
        new Terms(Duration.ofSeconds(15), Duration.ofSeconds(10), Duration.ofSeconds(2));
  }

  private static final Duration CLOSE = Duration.ofSeconds(5);
  private static final Logger LOGGER = LoggerFactory.getLogger(Leadership.class);

  private final KubernetesClient client;
  private final String identity;
  private final Ticker ticker;
  private final LeaderElectionConfig election;
  private final ExecutorService executor =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().daemon().name("leader-election").factory());

  /** Until when this instance leads, in the ticker's nanoseconds. */
  private volatile long heldUntilNanos;

  private volatile boolean closed;

  /** The executor's thread's own, until it has ended. */
  private @Nullable CompletableFuture<?> running;

  private Leadership(
      KubernetesClient client, String namespace, String identity, Terms terms, Ticker ticker) {
    this.client = client;
    this.identity = identity;
    this.ticker = ticker;
    this.heldUntilNanos = ticker.nowNanos();
    this.election =
        new LeaderElectionConfigBuilder()
            .withName(LEASE)
            .withLock(new Held(namespace, identity, terms.lease()))
            .withLeaseDuration(terms.lease())
            .withRenewDeadline(terms.renewal())
            .withRetryPeriod(terms.retry())
            .withReleaseOnCancel(true)
            .withLeaderCallbacks(
                new LeaderCallbacks(() -> log("This instance leads now"), this::lost, leader -> {}))
            .build();
  }

  /**
   * Starts to stand for it.
   *
   * @param client stays the caller's
   * @param namespace of the Lease
   * @param identity by which the instances differ
   */
  public static Leadership start(
      KubernetesClient client, String namespace, String identity, Terms terms, Ticker ticker) {
    Leadership leadership = new Leadership(client, namespace, identity, terms, ticker);
    leadership.executor.execute(leadership::stand);
    return leadership;
  }

  /** Whether this instance leads at this moment. */
  public boolean isLeader() {
    return !closed && heldUntilNanos - ticker.nowNanos() > 0;
  }

  private void stand() {
    if (!closed) {
      running = new LeaderElector(client, election, executor).start();
    }
  }

  private void lost() {
    heldUntilNanos = ticker.nowNanos();
    log("This instance leads no more");
    if (!closed) {
      try {
        executor.execute(this::stand);
      } catch (RejectedExecutionException stopping) {
        log("This instance does not stand again because it stops");
      }
    }
  }

  private void log(String message) {
    LOGGER.atInfo().addKeyValue("lease", LEASE).addKeyValue("identity", identity).log(message);
  }

  /** Stops leading at once and gives the Lease back, so that another instance has it soon. */
  @Override
  public void close() throws InterruptedException {
    if (!closed) {
      closed = true;
      executor.execute(
          () -> {
            if (running != null) {
              running.cancel(true);
            }
          });
      executor.shutdown();
    }
    if (!executor.awaitTermination(CLOSE.toSeconds(), TimeUnit.SECONDS)) {
      log("The Lease could not be given back, and will run out");
    }
  }

  /** The Lease, which notes until when it is held. */
  private final class Held extends LeaseLock {

    private final Duration duration;

    /** The time that is written into the Lease is taken just before this. */
    private long askedNanos;

    Held(String namespace, String identity, Duration duration) {
      super(namespace, LEASE, identity);
      this.duration = duration;
    }

    @Override
    public synchronized @Nullable LeaderElectionRecord get(KubernetesClient client) {
      askedNanos = ticker.nowNanos();
      return super.get(client);
    }

    @Override
    public synchronized void create(KubernetesClient client, LeaderElectionRecord record) {
      super.create(client, record);
      note(record);
    }

    @Override
    public synchronized void update(KubernetesClient client, LeaderElectionRecord record) {
      super.update(client, record);
      note(record);
    }

    private void note(LeaderElectionRecord record) {
      heldUntilNanos =
          identity().equals(record.getHolderIdentity())
              ? askedNanos + duration.toNanos()
              : askedNanos;
    }
  }
}
