package io.connectionledger.admission.stream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.connectionledger.admission.ScriptedLedger;
import io.connectionledger.admission.ScriptedPolicies;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.policy.PoolPolicy.Mode;
import io.connectionledger.model.view.PoolReadiness;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.model.view.PoolView.State;
import io.connectionledger.streams.Owner;
import io.connectionledger.testkit.PolicyFixtures;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class PoolStreamsIT {

  private static final long NOW_MS = 1_700_000_000_000L;
  private static final int LIMIT = 1_000_000;
  private static final int RING = 8;

  private final AtomicInteger refused = new AtomicInteger();
  private final ScriptedLedger ledger = new ScriptedLedger();
  private final ScriptedPolicies policies = new ScriptedPolicies();
  private final HttpClient client = HttpClient.newHttpClient();
  private final List<SseReader> readers = new ArrayList<>();
  private StreamLimits limits = limits(100, Duration.ofMinutes(1), Duration.ofMinutes(1));
  private PoolStreams streams;
  private Server server;

  PoolStreamsIT() throws Exception {
    ledger.pools.add("chat");
    policies.records.put("chat", policy(3));
    ledger.connections.put("chat", pool(pod(1, 0), pod(2, 0)));
    ledger.readiness.put("chat", readiness(true));
    streams = streams();
    server = start();
  }

  @AfterEach
  void stop() throws Exception {
    readers.forEach(SseReader::close);
    client.shutdownNow();
    streams.close();
    server.stop();
  }

  @Test
  void shouldBeginWithASnapshotAndTellEveryChangeInOrder() {
    // Given
    SseReader reader = follow();
    awaitEvents(reader, 1);
    // When
    for (int active = 1; active <= 20; active++) {
      change(reader, active);
    }
    // Then
    assertThat(reader.events.getFirst().type()).isEqualTo("snapshot");
    assertThat(reader.events.getFirst().data())
        .isEqualTo("[pod-1=0, pod-2=0] of 0, limit 3, ready true");
    assertThat(reader.events.subList(1, 21)).allMatch(event -> event.type().equals("connections"));
    assertThat(reader.events.subList(1, 21))
        .extracting(SseReader.SseEvent::data)
        .containsExactlyElementsOf(
            IntStream.rangeClosed(1, 20).mapToObj(i -> "[pod-1=" + i + "] of " + i).toList());
    assertThat(reader.events)
        .extracting(SseReader.SseEvent::number)
        .containsExactlyElementsOf(IntStream.rangeClosed(0, 20).mapToObj(Long::valueOf).toList());
  }

  @Test
  void shouldTellOfPolicyAndReadinessButNotOfEveryHeartbeat() {
    // Given
    SseReader reader = follow();
    awaitEvents(reader, 1);
    // When
    policies.records.put("chat", policy(7));
    awaitEvents(reader, 2);
    ledger.readiness.put("chat", readiness(true, NOW_MS + 10_000));
    ledger.readiness.put("chat", readiness(false));
    awaitEvents(reader, 3);
    // Then
    assertThat(reader.types()).containsExactly("snapshot", "policy", "readiness");
    assertThat(reader.events.get(1).data()).isEqualTo("limit 7");
    assertThat(reader.events.get(2).data()).isEqualTo("ready false");
  }

  @Test
  void shouldGoOnAfterTheLastEventId() {
    // Given
    SseReader first = follow();
    awaitEvents(first, 1);
    change(first, 1);
    String seen = first.last().id();
    change(first, 2);
    change(first, 3);
    first.close();
    // When
    SseReader again = follow(seen);
    awaitEvents(again, 2);
    change(again, 4);
    // Then
    assertThat(again.events)
        .extracting(SseReader.SseEvent::data)
        .containsExactly("[pod-1=2] of 2", "[pod-1=3] of 3", "[pod-1=4] of 4");
  }

  @Test
  void shouldGoOnAfterASnapshot() {
    // Given
    SseReader first = follow();
    awaitEvents(first, 1);
    change(first, 1);
    // When
    SseReader again = follow(first.events.getFirst().id());
    awaitEvents(again, 1);
    // Then
    assertThat(again.last().data()).isEqualTo("[pod-1=1] of 1");
  }

  @Test
  void shouldBeginAgainWhenTheLastEventIdSaysNothingHere() {
    // Given
    SseReader first = follow();
    awaitEvents(first, 1);
    for (int active = 1; active <= RING + 2; active++) {
      change(first, active);
    }
    List<String> ids = List.of(first.events.getFirst().id(), "another.3", "nonsense");
    for (String id : ids) {
      // When
      SseReader again = follow(id);
      awaitEvents(again, 1);
      // Then
      assertThat(again.events.getFirst().type()).isEqualTo("snapshot");
      await().untilAsserted(() -> assertThat(again.last().number()).isEqualTo(RING + 2));
    }
  }

  @Test
  void shouldFollowAPoolOfAnotherInstance() {
    // Given
    ledger.owner = new Owner.Other("10.0.0.9:9002", 7);
    SseReader reader = follow();
    awaitEvents(reader, 1);
    // When
    ledger.watcher.changed("chat", List.of(pod(2, 99)));
    ledger.connections.put("chat", pool(pod(1, 5)));
    awaitEvents(reader, 2);
    // Then
    assertThat(reader.last().data()).isEqualTo("[pod-1=5, pod-2=0] of 5");
  }

  @Test
  void shouldGoOnWhenThePoolChangesHands() {
    // Given
    ledger.owner = new Owner.Other("10.0.0.9:9002", 7);
    SseReader reader = follow();
    awaitEvents(reader, 1);
    // When
    ledger.readiness.remove("chat");
    PoolView view = Objects.requireNonNull(ledger.connections.remove("chat"));
    awaitEvents(reader, 2);
    ledger.owner = Owner.NOBODY;
    ledger.connections.put("chat", view);
    ledger.readiness.put("chat", readiness(true));
    awaitEvents(reader, 3);
    change(reader, 1);
    // Then
    assertThat(reader.types()).containsExactly("snapshot", "readiness", "readiness", "connections");
    assertThat(reader.events.get(1).data()).isEqualTo("ready false");
    assertThat(reader.events.get(2).data()).isEqualTo("ready true");
  }

  @Test
  void shouldFindByItselfWhatChangesDidNotTell() {
    // Given
    SseReader reader = follow();
    awaitEvents(reader, 1);
    // When
    ledger.connections.put("chat", pool(pod(1, 4), pod(2, 0)));
    // Then
    await().untilAsserted(() -> assertThat(reader.last().data()).isEqualTo("[pod-1=4] of 4"));
  }

  @Test
  void shouldRefuseWithProblems() throws Exception {
    // Given
    ledger.connections.remove("chat");
    // When
    HttpResponse<String> unknown = get("/v1/pools/nope/stream", "text/event-stream", "GET");
    HttpResponse<String> unreadable = get("/v1/pools/chat/stream", "*/*", "GET");
    HttpResponse<String> json = get("/v1/pools/chat/stream", "application/json", "GET");
    HttpResponse<String> method = get("/v1/pools/chat/stream", "text/event-stream", "POST");
    // Then
    assertProblem(unknown, 404, "missing nope");
    assertProblem(unreadable, 404, "missing chat");
    assertProblem(json, 406, "this is text/event-stream, which the request does not accept");
    assertProblem(method, 405, "POST is not allowed here: GET is");
    assertThat(method.headers().firstValue("allow")).hasValue("GET");
    await().untilAsserted(() -> assertThat(streams.readers()).isZero());
  }

  @Test
  void shouldRefuseReadersThatAreTooMany() throws Exception {
    // Given
    limits = limits(2, Duration.ofMinutes(1), Duration.ofMinutes(1));
    restart();
    SseReader first = follow();
    SseReader second = follow();
    awaitEvents(first, 1);
    awaitEvents(second, 1);
    // When
    HttpResponse<String> third = get("/v1/pools/chat/stream", "*/*", "GET");
    // Then
    assertProblem(third, 503, "2 readers follow pools of this instance: no more may");
    assertThat(refused).hasValue(1);
  }

  @Test
  void shouldLetReadersHearThatItIsStillThereAndForgetThoseWhoLeft() throws Exception {
    // Given
    limits = limits(2, Duration.ofMillis(50), Duration.ofMinutes(1));
    restart();
    SseReader reader = follow();
    // When / Then
    await().untilAsserted(() -> assertThat(reader.comments).hasSizeGreaterThan(2));
    reader.close();
    await().untilAsserted(() -> assertThat(streams.readers()).isZero());
  }

  @Test
  void shouldEndWithThePool() {
    // Given
    SseReader reader = follow();
    awaitEvents(reader, 1);
    // When
    ledger.pools.remove("chat");
    // Then
    await().until(reader::isEnded);
    assertThat(reader.end).isCompleted();
    assertThat(streams.readers()).isZero();
  }

  @Test
  void shouldEndEveryStreamWhenItIsClosed() throws Exception {
    // Given
    SseReader reader = follow();
    awaitEvents(reader, 1);
    // When
    streams.close();
    // Then
    await().until(reader::isEnded);
    assertThat(reader.end).isCompleted();
    assertProblem(get("/v1/pools/chat/stream", "*/*", "GET"), 503, "this instance is stopping");
  }

  /** A reader costs its position: what all of them are behind is kept once, and not for long. */
  @Test
  void shouldKeepNoMoreForFiveHundredSlowReaders() throws Exception {
    // Given
    int pods = 10_000;
    limits = limits(1_000, Duration.ofMinutes(1), Duration.ofMinutes(1));
    ledger.connections.put("chat", large(pods, 0));
    restart();
    SseReader witness = follow();
    awaitEvents(witness, 1);
    List<Socket> slow = new ArrayList<>();
    try {
      for (int i = 0; i < 500; i++) {
        slow.add(slow());
      }
      await().untilAsserted(() -> assertThat(streams.readers()).isEqualTo(501));
      long snapshot = witness.events.getFirst().data().length();
      long most = 0;
      // When
      int rounds = 40;
      for (int round = 1; round <= rounds; round++) {
        String told = "pod-" + (pods - 1) + "=" + round;
        PoolView view = large(pods, round);
        ledger.connections.put("chat", view);
        ledger.watcher.changed("chat", view.pods());
        await().until(() -> witness.last().data().contains(told));
        most = Math.max(most, streams.keptBytes());
      }
      // Then
      assertThat(rounds * snapshot).isGreaterThan(8 * snapshot + limits.bytes());
      assertThat(most).isLessThan(8 * snapshot + limits.bytes());
      assertThat(streams.readers()).isEqualTo(501);
      // And a slow one that goes on reading gets the whole of what is, not all that was.
      String read = readUntil(slow.get(250), "pod-" + (pods - 1) + "=" + rounds);
      assertThat(read.split("event: snapshot", -1)).hasSizeGreaterThan(2);
      assertThat((long) read.length()).isLessThan(rounds * snapshot / 2);
    } finally {
      for (Socket socket : slow) {
        socket.close();
      }
    }
  }

  @Test
  void shouldEndAReaderThatTakesNothingForTooLong() throws Exception {
    // Given
    int pods = 10_000;
    limits = limits(10, Duration.ofMinutes(1), Duration.ofSeconds(1));
    ledger.connections.put("chat", large(pods, 0));
    restart();
    // When
    try (Socket socket = slow()) {
      await().untilAsserted(() -> assertThat(streams.readers()).isEqualTo(1));
      // Then
      await().untilAsserted(() -> assertThat(streams.readers()).isZero());
      await().until(() -> server.getConnectors()[0].getConnectedEndPoints().isEmpty());
      assertThat(socket.isConnected()).isTrue();
    }
  }

  private SseReader follow() {
    SseReader reader = SseReader.of(client, uri("/v1/pools/chat/stream"));
    readers.add(reader);
    return reader;
  }

  private SseReader follow(String lastEventId) {
    SseReader reader = SseReader.after(lastEventId, client, uri("/v1/pools/chat/stream"));
    readers.add(reader);
    return reader;
  }

  private void change(SseReader reader, int active) {
    int before = reader.events.size();
    ledger.connections.put("chat", pool(pod(1, active), pod(2, 0)));
    ledger.watcher.changed("chat", List.of(pod(1, active)));
    awaitEvents(reader, before + 1);
  }

  private static void awaitEvents(SseReader reader, int count) {
    await().pollInterval(Duration.ofMillis(1)).until(() -> reader.events.size() >= count);
  }

  /** Asks, and reads nothing. */
  private Socket slow() throws IOException {
    Socket socket = new Socket();
    socket.setReceiveBufferSize(4 << 10);
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port()));
    socket
        .getOutputStream()
        .write("GET /v1/pools/chat/stream HTTP/1.1\r\nHost: ledger\r\n\r\n".getBytes(UTF_8));
    return socket;
  }

  private static String readUntil(Socket socket, String last) throws IOException {
    StringBuilder read = new StringBuilder();
    InputStream in = socket.getInputStream();
    byte[] buffer = new byte[64 << 10];
    while (read.indexOf(last, Math.max(0, read.length() - 2 * buffer.length)) < 0) {
      int count = in.read(buffer);
      assertThat(count).isPositive();
      read.append(new String(buffer, 0, count, UTF_8));
    }
    return read.toString();
  }

  private HttpResponse<String> get(String path, String accept, String method) throws Exception {
    return client.send(
        HttpRequest.newBuilder(uri(path))
            .header("accept", accept)
            .method(method, HttpRequest.BodyPublishers.noBody())
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private static void assertProblem(HttpResponse<String> answer, int status, String detail) {
    assertThat(answer.statusCode()).isEqualTo(status);
    assertThat(answer.headers().firstValue("content-type")).hasValue("application/problem+json");
    assertThat(answer.body()).isEqualTo(detail);
  }

  private URI uri(String path) {
    return URI.create("http://127.0.0.1:" + port() + path);
  }

  private int port() {
    return ((ServerConnector) server.getConnectors()[0]).getLocalPort();
  }

  private void restart() throws Exception {
    streams.close();
    server.stop();
    streams = streams();
    server = start();
  }

  private PoolStreams streams() {
    return new PoolStreams(
        ledger,
        policies,
        new Words(),
        pool -> new Refusal(404, "missing " + pool),
        refused::incrementAndGet,
        limits,
        Ticker.system());
  }

  private Server start() throws Exception {
    Server starting = new Server();
    ServerConnector connector = new ServerConnector(starting, 1, 1);
    connector.setHost("127.0.0.1");
    connector.setAcceptQueueSize(600);
    connector.setAcceptedSendBufferSize(4 << 10);
    starting.addConnector(connector);
    starting.setHandler(new StreamHandler(streams, new Words()));
    starting.start();
    return starting;
  }

  private static StreamLimits limits(int readers, Duration keepAlive, Duration stall) {
    return new StreamLimits(
        readers,
        RING,
        100_000,
        Duration.ofMillis(1),
        Duration.ofMillis(20),
        Duration.ofMillis(200),
        keepAlive,
        stall,
        Duration.ofMinutes(1),
        Duration.ZERO,
        Duration.ZERO);
  }

  private static PolicyRecord policy(int limit) {
    PoolPolicy policy =
        PolicyFixtures.unlimited(
            "chat", limit, PoolPolicy.OnOwnerLoss.SHARE, List.of(new Pod("pod-1", address(1))));
    return PolicyRecord.ofBase(policy, Set.of(), 1);
  }

  private static PoolReadiness readiness(boolean ready) {
    return readiness(ready, NOW_MS);
  }

  private static PoolReadiness readiness(boolean ready, long lastSeenMs) {
    return new PoolReadiness(
        "chat",
        NOW_MS,
        ready,
        1,
        List.of(new PoolReadiness.EnvoyView("envoy-1", lastSeenMs, 4)),
        List.of());
  }

  private static PodAddress address(int index) {
    return new PodAddress("10.0." + (index >> 8) + "." + (index & 255), 80);
  }

  private static PodView pod(int index, int active) {
    return new PodView("pod-" + index, address(index), active, 0, LIMIT, State.AVAILABLE);
  }

  private static PoolView pool(PodView... pods) {
    return view(List.of(pods));
  }

  private static PoolView large(int pods, int active) {
    return view(IntStream.range(0, pods).mapToObj(i -> pod(i, active)).toList());
  }

  private static PoolView view(List<PodView> pods) {
    int active = pods.stream().mapToInt(PodView::active).sum();
    return new PoolView("chat", NOW_MS, Mode.ENFORCE, active, 0, pods);
  }

  /** Words for people in the place of JSON. */
  private static final class Words implements StreamJson {

    @Override
    public byte[] connections(PoolView view, PolicyRecord policy) {
      String pods =
          view.pods().stream()
              .map(pod -> pod.pod() + "=" + pod.active())
              .collect(Collectors.joining(", ", "[", "]"));
      return (pods + " of " + view.active()).getBytes(UTF_8);
    }

    @Override
    public byte[] policy(PolicyRecord policy, long nowMs) {
      return ("limit " + policy.policy().perPodMaxConnections()).getBytes(UTF_8);
    }

    @Override
    public byte[] readiness(PoolReadiness readiness) {
      return ("ready " + readiness.ready()).getBytes(UTF_8);
    }

    @Override
    public byte[] snapshot(PoolView view, PolicyRecord policy, PoolReadiness readiness) {
      String words =
          String.join(
              ", ",
              new String(connections(view, policy), UTF_8),
              new String(policy(policy, NOW_MS), UTF_8),
              new String(readiness(readiness), UTF_8));
      return words.getBytes(UTF_8);
    }

    @Override
    public byte[] problem(Refusal refusal) {
      return refusal.detail().getBytes(UTF_8);
    }
  }
}
