package io.connectionledger.app.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.connectionledger.app.config.PolicyFile;
import io.connectionledger.model.policy.PoolPolicy;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A policy file as Kubernetes mounts it: pools.yaml → ..data/pools.yaml, ..data → ..version. */
final class PolicyWatchTest {

  private static final Duration SOON = Duration.ofSeconds(10);

  @TempDir private Path folder;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final BlockingQueue<Map<String, PoolPolicy>> followed = new LinkedBlockingQueue<>();
  private Path file;
  private PolicyWatch watch;
  private int versions;

  @BeforeEach
  void mount() throws IOException {
    swap("chat: { per-pod-max-connections: 1 }");
    file = Files.createSymbolicLink(folder.resolve("pools.yaml"), Path.of("..data/pools.yaml"));
    watch = PolicyWatch.start(file, PolicyFile.text(file), followed::add, registry);
  }

  @AfterEach
  void unmount() throws InterruptedException {
    watch.close();
  }

  @Test
  void shouldFollowASwappedSymbolicLink() throws Exception {
    // When
    swap("chat: { per-pod-max-connections: 2 }\ngame: { per-pod-max-connections: 3 }");
    // Then
    assertThat(next().values())
        .extracting(PoolPolicy::pool, PoolPolicy::perPodMaxConnections)
        .containsExactly(tuple("chat", 2), tuple("game", 3));
  }

  @Test
  void shouldFollowAFileThatIsWrittenInPlace() throws Exception {
    // When
    Files.writeString(file, "chat: { per-pod-max-connections: 4 }");
    // Then
    assertThat(next()).containsOnlyKeys("chat");
  }

  @Test
  void shouldCountWhatItCannotUseOnceAndFollowTheNextGoodOne() throws Exception {
    // When
    swap("chat: { per-pod-max-connections: 0 }");
    awaitRefused(1);
    Files.delete(folder.resolve("..data"));
    awaitRefused(2);
    swap("not: [yaml");
    awaitRefused(3);
    swap("chat: { per-pod-max-connections: 5 }");
    // Then
    assertThat(next()).containsOnlyKeys("chat");
    assertThat(followed).isEmpty();
    assertThat(refused()).isEqualTo(3);
  }

  private void awaitRefused(int count) {
    Awaitility.await().atMost(SOON).until(() -> refused() == count);
  }

  private double refused() {
    return registry.get("ledger.policy.file.refused").counter().count();
  }

  private Map<String, PoolPolicy> next() throws InterruptedException {
    Map<String, PoolPolicy> pools = followed.poll(SOON.toSeconds(), TimeUnit.SECONDS);
    assertThat(pools).isNotNull();
    return pools;
  }

  private void swap(String yaml) throws IOException {
    Path version = Files.createDirectory(folder.resolve("..version-" + versions++));
    Files.writeString(version.resolve("pools.yaml"), yaml);
    Path link = Files.createSymbolicLink(folder.resolve("..data_tmp"), version.getFileName());
    Files.move(link, folder.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
  }
}
