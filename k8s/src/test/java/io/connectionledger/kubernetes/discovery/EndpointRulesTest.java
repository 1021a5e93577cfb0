package io.connectionledger.kubernetes.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.kubernetes.discovery.EndpointRules.Change;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.endpoints.PoolEndpoints;
import io.connectionledger.model.endpoints.PoolEndpoints.Endpoint;
import io.connectionledger.testkit.ManualTicker;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class EndpointRulesTest {

  private static final Endpoint A = endpoint("a", true, false);
  private static final Endpoint B = endpoint("b", true, false);
  private static final Map<String, List<Endpoint>> NOTHING = Map.of();

  private final ManualTicker ticker = new ManualTicker();
  private final Map<String, PoolEndpoints> topic = new TreeMap<>();
  private final EndpointRules rules = new EndpointRules("chat");

  private static Endpoint endpoint(String name, boolean ready, boolean terminating) {
    PodAddress address = new PodAddress("10.0.0." + (name.charAt(0) - 'a' + 1), 8080);
    return new Endpoint(name, address, "zone-0", ready, ready, terminating);
  }

  private static PoolEndpoints record(String slice, long version, Endpoint... endpoints) {
    return new PoolEndpoints("chat", slice, version, false, List.of(endpoints));
  }

  private static PoolEndpoints stale(String slice, long version, Endpoint... endpoints) {
    return new PoolEndpoints("chat", slice, version, true, List.of(endpoints));
  }

  /** What one instance changes, which all then know. */
  private List<Change> published(
      EndpointRules by, Map<String, List<Endpoint>> observed, long version) {
    List<Change> changes = changes(by, observed, version);
    for (Change change : changes) {
      PoolEndpoints record = change.record();
      if (record == null) {
        topic.remove(change.slice());
      } else {
        topic.put(change.slice(), record);
      }
    }
    return changes;
  }

  private List<Change> published(Map<String, List<Endpoint>> observed, long version) {
    return published(rules, observed, version);
  }

  /** What one instance changes, which nobody knows yet. */
  private List<Change> changes(
      EndpointRules by, Map<String, List<Endpoint>> observed, long version) {
    return by.changes(observed, version, List.copyOf(topic.values()), ticker.nowNanos()).list();
  }

  @Test
  void shouldPublishWhatIsNewAndOther() {
    assertThat(published(Map.of("s1", List.of(A), "s2", List.of(B)), 5))
        .containsExactly(
            new Change("s1", record("s1", 5, A)), new Change("s2", record("s2", 5, B)));

    Endpoint unready = endpoint("a", false, false);
    assertThat(published(Map.of("s1", List.of(unready), "s2", List.of(B)), 6))
        .containsExactly(new Change("s1", record("s1", 6, unready)));
  }

  @Test
  void shouldPublishNothingTwice() {
    var unused = published(Map.of("s1", List.of(A)), 5);

    assertThat(published(Map.of("s1", List.of(A)), 6)).isEmpty();
    assertThat(published(new EndpointRules("chat"), Map.of("s1", List.of(A)), 7)).isEmpty();
  }

  @Test
  void shouldNotBeMisledByItsOwnRecordsThatAreStillOnTheirWay() {
    var unused = published(Map.of("s1", List.of(A)), 5);
    Endpoint unready = endpoint("a", false, false);

    assertThat(changes(rules, Map.of("s1", List.of(unready)), 6)).hasSize(1);
    assertThat(changes(rules, Map.of("s1", List.of(unready)), 6)).isEmpty();
    assertThat(changes(rules, Map.of("s1", List.of(A)), 7))
        .containsExactly(new Change("s1", record("s1", 7, A)));
  }

  @Test
  void shouldPublishAgainWhatDidNotArrive() {
    assertThat(changes(rules, Map.of("s1", List.of(A)), 5)).hasSize(1);

    ticker.advance(EndpointRules.IN_FLIGHT);

    assertThat(changes(rules, Map.of("s1", List.of(A)), 5))
        .containsExactly(new Change("s1", record("s1", 5, A)));
  }

  @Test
  void shouldKeepTheLastEndpointsOfAPool() {
    var unused = published(Map.of("s1", List.of(A), "s2", List.of(B)), 5);

    assertThat(published(Map.of("s2", List.of(B)), 6))
        .containsExactly(new Change("s1", record("s1", 6)));
    assertThat(published(NOTHING, 7)).containsExactly(new Change("s2", stale("s2", 7, B)));
    assertThat(published(NOTHING, 8)).isEmpty();
    assertThat(rules.changes(NOTHING, 8, topic.values(), ticker.nowNanos()).kept()).isOne();
  }

  @Test
  void shouldKeepThemInANewProcess() {
    topic.put("s1", record("s1", 5, A, B));
    EndpointRules restarted = new EndpointRules("chat");

    assertThat(published(restarted, NOTHING, 9))
        .containsExactly(new Change("s1", stale("s1", 9, A, B)));
    assertThat(published(new EndpointRules("chat"), NOTHING, 10)).isEmpty();
  }

  @Test
  void shouldReplaceWhatItKeptByWhatComes() {
    var unused = published(Map.of("s1", List.of(A)), 5);
    unused = published(NOTHING, 6);

    assertThat(published(Map.of("s2", List.of(B)), 7))
        .containsExactly(new Change("s1", record("s1", 7)), new Change("s2", record("s2", 7, B)));
  }

  @Test
  void shouldTakeBackThatEndpointsAreStale() {
    var unused = published(Map.of("s1", List.of(A)), 5);
    unused = published(NOTHING, 6);

    assertThat(published(Map.of("s1", List.of(A)), 7))
        .containsExactly(new Change("s1", record("s1", 7, A)));
  }

  @Test
  void shouldRemoveAnEmptySliceOnceEverybodyHasSeenThatItIs() {
    var unused = published(Map.of("s1", List.of(A), "s2", List.of(B)), 5);
    unused = published(Map.of("s2", List.of(B)), 6);
    assertThat(published(Map.of("s2", List.of(B)), 6)).isEmpty();

    ticker.advance(EndpointRules.SETTLED.minusMillis(1));
    assertThat(published(Map.of("s2", List.of(B)), 6)).isEmpty();

    ticker.advance(Duration.ofMillis(1));
    assertThat(published(Map.of("s2", List.of(B)), 6)).containsExactly(new Change("s1", null));
    assertThat(published(Map.of("s2", List.of(B)), 6)).isEmpty();
  }

  @Test
  void shouldChangeNothingThatAnotherInstanceHasFromALaterVersion() {
    topic.put("s1", record("s1", 8));
    topic.put("s2", record("s2", 8, endpoint("b", true, true)));
    topic.put("s3", record("s3", 8, A));

    assertThat(published(Map.of("s1", List.of(A), "s2", List.of(B)), 7)).isEmpty();
  }

  @Test
  void shouldCatchUpWithAnotherInstance() {
    topic.put("s1", record("s1", 8, A));

    assertThat(published(Map.of("s1", List.of(A, B)), 7)).isEmpty();
    assertThat(published(Map.of("s1", List.of(A, B)), 9)).hasSize(1);
  }

  @Test
  void shouldNotWaitForeverForAVersionThatIsLost() {
    topic.put("s1", record("s1", 1_000, A));
    assertThat(published(Map.of("s1", List.of(B)), 7)).isEmpty();

    ticker.advance(EndpointRules.SETTLED);

    assertThat(published(Map.of("s1", List.of(B)), 7))
        .containsExactly(new Change("s1", null), new Change("s1", record("s1", 7, B)));
    assertThat(published(Map.of("s1", List.of(B)), 7)).isEmpty();
  }
}
