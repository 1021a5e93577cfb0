package io.connectionledger.streams.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.testkit.PolicyFixtures;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PolicyResolverTest {

  private static final PodAddress POD = PodAddress.parse("10.0.0.1:80");

  private final PolicyResolver book = new PolicyResolver(Map.of("chat", limit(1)));

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
    book.base(Map.of("chat", limit(4)));
    // Then
    assertThat(book.tell(7)).isEmpty();
    assertThat(limitOf("chat")).isEqualTo(9);
  }

  @Test
  void shouldTellAgainWhenTheFileChangesBackWhileItsChangeIsUnderway() {
    // Given
    settle();
    book.base(Map.of("chat", limit(2)));
    PolicyRecord underway = book.tell(5).getFirst();
    book.base(Map.of("chat", limit(1)));
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
    book.base(Map.of("game", policy("game", 3)));
    // Then
    assertThat(book.all().keySet()).containsExactly("game");
    assertThat(book.of("chat")).isNull();
    assertThat(book.tell(6)).extracting(PolicyRecord::pool).containsExactly("game");
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
}
