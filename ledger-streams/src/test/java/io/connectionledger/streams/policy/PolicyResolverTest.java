package io.connectionledger.streams.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.endpoints.PoolEndpoints;
import io.connectionledger.model.endpoints.PoolEndpoints.Endpoint;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.testkit.PolicyFixtures;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PolicyResolverTest {

  private static final PodAddress POD = PodAddress.parse("10.0.0.1:80");

  private final PolicyResolver book = new PolicyResolver(Map.of("chat", limit(1)), false);

  @Test
  void shouldTellTheTopicWhatItDoesNotKnow() {
    // When
    List<PolicyRecord> told = book.tell(7);
    // Then
    assertThat(told).containsExactly(PolicyRecord.ofBase(limit(1), Set.of(), 7));
    assertThat(book.isTold()).isFalse();
    book.stored(told.getFirst());
    assertThat(book.isTold()).isTrue();
    assertThat(book.tell(8)).isEmpty();
  }

  @Test
  void shouldKeepAnOverrideOverARestart() {
    // Given
    PolicyRecord override = new PolicyRecord(limit(5), limit(1), Set.of(), 3);
    // When
    book.stored(override);
    // Then
    assertThat(book.isTold()).isTrue();
    assertThat(book.of("chat")).isEqualTo(override);
  }

  @Test
  void shouldLetAChangedConfigurationWinOverAnOlderOverride() {
    // Given: written over a configuration that wanted 2
    book.stored(new PolicyRecord(limit(5), limit(2), Set.of(POD), 3));
    // When
    List<PolicyRecord> told = book.tell(9);
    // Then
    assertThat(told).containsExactly(PolicyRecord.ofBase(limit(1), Set.of(POD), 9));
    assertThat(told.getFirst().draining()).as("draining is no matter of the file").contains(POD);
  }

  @Test
  void shouldFollowAnotherInstanceWhoseFileChangedFirst() {
    // Given
    settle();
    PolicyRecord others = PolicyRecord.ofBase(limit(4), Set.of(), 5);
    // When
    book.stored(others);
    // Then
    assertThat(limitOf("chat")).isEqualTo(4);
    assertThat(book.isTold()).isTrue();
  }

  @Test
  void shouldNotUndoAnOverrideWhenItsFileCatchesUpLate() {
    // Given: another instance saw the change of the file, then somebody changed the pool
    settle();
    book.stored(PolicyRecord.ofBase(limit(4), Set.of(), 5));
    book.stored(new PolicyRecord(limit(9), limit(4), Set.of(), 6));
    // When
    book.base(Map.of("chat", limit(4)), false);
    // Then
    assertThat(book.tell(7)).isEmpty();
    assertThat(limitOf("chat")).isEqualTo(9);
  }

  @Test
  void shouldTellAgainWhenTheFileChangesBackWhileItsChangeIsUnderway() {
    // Given
    settle();
    book.base(Map.of("chat", limit(2)), false);
    PolicyRecord underway = book.tell(5).getFirst();
    book.base(Map.of("chat", limit(1)), false);
    // When
    book.stored(underway);
    // Then
    assertThat(book.tell(6)).containsExactly(PolicyRecord.ofBase(limit(1), Set.of(), 6));
  }

  @Test
  void shouldServeExactlyThePoolsOfTheBase() {
    // Given
    settle();
    book.stored(PolicyRecord.ofBase(policy("others", 1), Set.of(), 5));
    assertThat(book.all().keySet()).containsExactly("chat");
    // When
    book.base(Map.of("game", policy("game", 3)), false);
    // Then
    assertThat(book.all().keySet()).containsExactly("game");
    assertThat(book.of("chat")).isNull();
    assertThat(book.tell(6)).extracting(PolicyRecord::pool).containsExactly("game");
  }

  @Test
  void shouldPlaceOnThePodsThatKubernetesHas() {
    // Given
    PolicyResolver found = new PolicyResolver(Map.of("chat", fromKubernetes()), false);
    found.tell(1).forEach(found::stored);
    assertThat(pods(found)).isEmpty();
    // When
    found.endpoints(slice(7, POD));
    found.endpoints(slice(6));
    // Then
    assertThat(pods(found)).as("an earlier version comes late").containsExactly(POD);
    assertThat(found.written("chat")).isEqualTo(PolicyRecord.ofBase(fromKubernetes(), Set.of(), 1));
    found.withoutEndpoints("chat", "slice");
    assertThat(pods(found)).isEmpty();
  }

  @Test
  void shouldForgetThatAPodDrainsWhenKubernetesNoLongerHasIt() {
    // Given
    PolicyResolver found = new PolicyResolver(Map.of("chat", fromKubernetes()), false);
    found.stored(PolicyRecord.ofBase(fromKubernetes(), Set.of(POD), 1));
    found.endpoints(slice(7, POD));
    assertThat(Objects.requireNonNull(found.of("chat")).draining()).containsExactly(POD);
    assertThat(found.outdatedDrains(2)).isEmpty();
    // When
    found.endpoints(slice(8, PodAddress.parse("10.0.0.2:80")));
    // Then
    assertThat(found.outdatedDrains(3))
        .containsExactly(PolicyRecord.ofBase(fromKubernetes(), Set.of(), 3));
  }

  @Test
  void shouldKeepThePoolsOfKubernetesUntilItSaysWhichThereAre() {
    // Given
    PolicyResolver starting = new PolicyResolver(Map.of("own", policy("own", 1)), true);
    // When
    starting.stored(PolicyRecord.ofBase(fromKubernetes(), Set.of(), 1));
    starting.stored(PolicyRecord.ofBase(policy("former", 1), Set.of(), 1));
    starting.base(Map.of("own", policy("own", 2)), true);
    // Then
    assertThat(starting.all().keySet()).containsExactly("chat", "own");
    starting.base(Map.of("own", policy("own", 2)), false);
    assertThat(starting.all().keySet()).containsExactly("own");
  }

  @Test
  void shouldSayWhyThePodsMayBeOld() {
    // Given
    PolicyResolver found = new PolicyResolver(Map.of("chat", fromKubernetes()), false);
    found.endpoints(slice(7, POD));
    // When
    found.unheard(Map.of("chat", "the API server is away"));
    // Then
    assertThat(stale(found)).isEqualTo("the API server is away");
    found.unheard(Map.of());
    assertThat(stale(found)).isNull();
  }

  private static @Nullable String stale(PolicyResolver found) {
    return Objects.requireNonNull(Objects.requireNonNull(found.of("chat")).discovered()).stale();
  }

  private static List<PodAddress> pods(PolicyResolver found) {
    return Objects.requireNonNull(found.of("chat")).policy().pods().stream()
        .map(Pod::address)
        .toList();
  }

  private static PoolEndpoints slice(long version, PodAddress... pods) {
    return new PoolEndpoints(
        "chat",
        "slice",
        version,
        false,
        Stream.of(pods)
            .map(pod -> new Endpoint("pod at " + pod, pod, null, true, true, false))
            .toList());
  }

  private static PoolPolicy fromKubernetes() {
    return PolicyFixtures.inKubernetes("chat", 1, "chat");
  }

  private void settle() {
    book.tell(1).forEach(book::stored);
  }

  private int limitOf(String pool) {
    return Objects.requireNonNull(book.of(pool)).policy().perPodMaxConnections();
  }

  private static PoolPolicy limit(int perPod) {
    return policy("chat", perPod);
  }

  private static PoolPolicy policy(String pool, int perPod) {
    return PolicyFixtures.unlimited(pool, perPod, List.of(new Pod("one", POD)));
  }

  @Test
  void shouldHaveRoomForNoMorePoolsAndSlicesThanThereMayBe() {
    PolicyResolver found = new PolicyResolver(Map.of(), true);
    for (int i = 0; i < PolicyResolver.MAX_POOLS; i++) {
      assertThat(found.hasRoomFor("pool-" + i)).isTrue();
      found.stored(PolicyRecord.ofBase(policy("pool-" + i, 1), Set.of(), 1));
      found.endpoints(new PoolEndpoints("pool-" + i, "slice", 1, false, List.of()));
    }
    for (int i = 1; i < PolicyResolver.MAX_SLICES; i++) {
      found.endpoints(new PoolEndpoints("pool-0", "slice-" + i, 1, false, List.of()));
    }

    assertThat(found.hasRoomFor("one-more")).isFalse();
    assertThat(found.hasRoomFor("pool-0")).isTrue();
    assertThat(found.hasRoomFor(new PoolEndpoints("one-more", "s", 1, false, List.of()))).isFalse();
    assertThat(found.hasRoomFor(new PoolEndpoints("pool-0", "s", 1, false, List.of()))).isFalse();
    assertThat(found.hasRoomFor(new PoolEndpoints("pool-1", "s", 1, false, List.of()))).isTrue();
  }
}
