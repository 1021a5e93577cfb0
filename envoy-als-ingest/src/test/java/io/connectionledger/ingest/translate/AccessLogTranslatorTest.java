package io.connectionledger.ingest.translate;

import static io.connectionledger.ingest.Entries.RESERVATION;
import static io.connectionledger.ingest.Entries.address;
import static io.connectionledger.ingest.Entries.admission;
import static io.connectionledger.ingest.Entries.code;
import static io.connectionledger.ingest.Entries.leased;
import static io.connectionledger.ingest.Entries.refused;
import static io.connectionledger.ingest.Entries.unleased;
import static io.envoyproxy.envoy.data.accesslog.v3.AccessLogType.DownstreamEnd;
import static io.envoyproxy.envoy.data.accesslog.v3.AccessLogType.DownstreamPeriodic;
import static io.envoyproxy.envoy.data.accesslog.v3.AccessLogType.DownstreamTunnelSuccessfullyEstablished;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.connectionledger.ingest.translate.Translation.Event;
import io.connectionledger.ingest.translate.Translation.Heartbeat;
import io.connectionledger.ingest.translate.Translation.Ignored;
import io.connectionledger.ingest.translate.Translation.Limited;
import io.connectionledger.ingest.translate.Translation.Malformed;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent.Closed;
import io.connectionledger.model.event.ConnectionEvent.Failed;
import io.connectionledger.model.event.ConnectionEvent.Opened;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.policy.HostMatch;
import io.connectionledger.model.policy.PoolIndex;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.testkit.PolicyFixtures;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.Pipe;
import io.envoyproxy.envoy.data.accesslog.v3.AccessLogType;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPAccessLogEntry;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPAccessLogEntry.HTTPVersion;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class AccessLogTranslatorTest {

  private static final String CLIENT = ConnectionIds.client("192.0.2.1");
  private static final long NOW = 1_800_000_000_000L;
  private static final long STARTED_MS = 1_700_000_000_123L;
  private static final long STARTED_NANOS = 1_700_000_000_123_456_789L;
  private static final PodAddress POD = PodAddress.parse("10.0.0.7:8080");
  private static final String UNLEASED =
      ConnectionIds.unleased("envoy-1", "192.0.2.1:40000", STARTED_NANOS);

  private final AccessLogTranslator translator =
      new AccessLogTranslator("envoy-1", () -> PoolIndex.EMPTY);

  private Translation translate(HTTPAccessLogEntry.Builder entry) {
    return translator.translate(entry.build(), NOW);
  }

  @Test
  void shouldOpenWhenTheTunnelIsEstablished() {
    assertThat(translate(leased(DownstreamTunnelSuccessfullyEstablished, RESERVATION)))
        .isEqualTo(new Event(new Opened("chat", RESERVATION, POD, "envoy-1", STARTED_MS, NOW)));
  }

  @Test
  void shouldTakeTheRealPodAndNotTheReservedOne() {
    HTTPAccessLogEntry.Builder entry = leased(DownstreamPeriodic, RESERVATION);
    entry.getCommonPropertiesBuilder().setUpstreamRemoteAddress(address("fd00::7", 9));

    assertThat(translate(entry))
        .isEqualTo(new Heartbeat("chat", PodAddress.parse("[fd00::7]:9"), RESERVATION));
  }

  @ParameterizedTest
  @CsvSource({
    "fd00::7, [fd00::7]:9",
    "FD00:0:0:0:0:0:0:0007, [fd00::7]:9",
    "::ffff:10.0.0.7, 10.0.0.7:9",
    "::FFFF:a00:7, 10.0.0.7:9",
  })
  void shouldKnowAPodInEverySpelling(String written, String canonical) {
    HTTPAccessLogEntry.Builder entry = leased(DownstreamPeriodic, RESERVATION);
    entry.getCommonPropertiesBuilder().setUpstreamRemoteAddress(address(written, 9));
    Heartbeat heartbeat = new Heartbeat("chat", PodAddress.parse(canonical), RESERVATION);

    assertThat(translate(entry)).isEqualTo(heartbeat);
    assertThat(translate(entry)).isEqualTo(heartbeat);
  }

  @Test
  void shouldTellPodsApartThatDifferInTheirPortOnly() {
    for (int round = 0; round < 2; round++) {
      for (int port = 1; port <= 600; port++) {
        HTTPAccessLogEntry.Builder entry = leased(DownstreamPeriodic, RESERVATION);
        entry.getCommonPropertiesBuilder().setUpstreamRemoteAddress(address("10.0.0.7", port));

        assertThat(translate(entry))
            .isEqualTo(new Heartbeat("chat", new PodAddress("10.0.0.7", port), RESERVATION));
      }
    }
  }

  @Test
  void shouldCloseWithDetailsAndDuration() {
    assertThat(translate(leased(DownstreamEnd, RESERVATION)))
        .isEqualTo(
            new Event(
                new Closed(
                    "chat",
                    RESERVATION,
                    POD,
                    "envoy-1",
                    "downstream_remote_disconnect",
                    12_034L,
                    NOW)));
  }

  @Test
  void shouldCloseWithoutDetailsOrDuration() {
    HTTPAccessLogEntry.Builder entry = leased(DownstreamEnd, RESERVATION);
    entry.getCommonPropertiesBuilder().clearDuration();
    entry.getResponseBuilder().clearResponseCodeDetails();

    assertThat(translate(entry))
        .isEqualTo(
            new Event(new Closed("chat", RESERVATION, POD, "envoy-1", "unknown", null, NOW)));
  }

  @Test
  void shouldKeepAReasonShortAndOnOneLine() {
    HTTPAccessLogEntry.Builder entry = leased(DownstreamEnd, RESERVATION);
    entry.getResponseBuilder().setResponseCodeDetails("a\r\n b" + "x".repeat(194) + "😀 more");

    assertThat(translate(entry))
        .isInstanceOfSatisfying(
            Event.class,
            closed ->
                assertThat(((Closed) closed.event()).reason()).isEqualTo("a b" + "x".repeat(194)));
  }

  @Test
  void shouldGiveOneIdToAllEntriesOfAnUnleasedStream() {
    assertThat(translate(unleased(DownstreamTunnelSuccessfullyEstablished)))
        .isEqualTo(new Event(new Opened("chat", UNLEASED, POD, "envoy-1", STARTED_MS, NOW)));
    assertThat(translate(unleased(DownstreamPeriodic)))
        .isEqualTo(new Heartbeat("chat", POD, UNLEASED));
    assertThat(translate(unleased(DownstreamEnd)))
        .isInstanceOfSatisfying(
            Event.class,
            closed -> assertThat(((Closed) closed.event()).connection()).isEqualTo(UNLEASED));
  }

  @Test
  void shouldIdentifyAnUnleasedStreamByItsDirectPeerWhenThatIsAllThereIs() {
    HTTPAccessLogEntry.Builder entry = unleased(DownstreamPeriodic);
    entry.getCommonPropertiesBuilder().clearDownstreamRemoteAddress();

    assertThat(translate(entry))
        .isEqualTo(
            new Heartbeat(
                "chat", POD, ConnectionIds.unleased("envoy-1", "192.0.2.99:50000", STARTED_NANOS)));
  }

  @Test
  void shouldReadTheHttpFormOfTheMetadata() {
    HTTPAccessLogEntry.Builder entry = unleased(DownstreamPeriodic);
    admission(
        entry,
        Map.of(
            "x-ledger-pool", "games",
            "x-ledger-reservation", RESERVATION,
            "x-ledger-pod", "MTAuMC4wLjc6ODA4MA=="));

    assertThat(translate(entry)).isEqualTo(new Heartbeat("games", POD, RESERVATION));
  }

  @Test
  void shouldPreferTheMetadatasPoolToTheCluster() {
    HTTPAccessLogEntry.Builder entry = leased(DownstreamPeriodic, RESERVATION);
    entry.getCommonPropertiesBuilder().setUpstreamCluster("outbound|80||pods");

    assertThat(translate(entry)).isEqualTo(new Heartbeat("chat", POD, RESERVATION));
  }

  @Test
  void shouldNotReadMetadataThatAreNoText() {
    HTTPAccessLogEntry.Builder entry = unleased(DownstreamPeriodic);
    entry
        .getCommonPropertiesBuilder()
        .getMetadataBuilder()
        .putFilterMetadata(
            AdmissionMetadata.NAMESPACE,
            Struct.newBuilder()
                .putFields("reservation", Value.newBuilder().setNumberValue(7).build())
                .putFields("pool", Value.newBuilder().setBoolValue(true).build())
                .build());

    assertThat(translate(entry)).isEqualTo(new Heartbeat("chat", POD, UNLEASED));
  }

  @Test
  void shouldNotReadMetadataOfOtherFilters() {
    HTTPAccessLogEntry.Builder entry = leased(DownstreamPeriodic, RESERVATION);
    Struct values =
        entry
            .getCommonProperties()
            .getMetadata()
            .getFilterMetadataOrThrow(AdmissionMetadata.NAMESPACE);
    entry
        .getCommonPropertiesBuilder()
        .getMetadataBuilder()
        .removeFilterMetadata(AdmissionMetadata.NAMESPACE)
        .putFilterMetadata("envoy.filters.http.lua", values);

    assertThat(translate(entry)).isEqualTo(new Heartbeat("chat", POD, UNLEASED));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "local_rate_limited",
        "upstream_reset_before_response_started{overflow}",
        "overload"
      })
  void shouldTellWhatEnvoyTurnedAwayWithoutTheLedger(String details) {
    assertThat(translate(turnedAway(details)))
        .isEqualTo(
            new Event(new Failed("chat", UNLEASED, null, "envoy-1", 503, details, CLIENT, NOW)));
  }

  @Test
  void shouldBelieveTheFlagsWhenTheDetailsSayNothing() {
    HTTPAccessLogEntry.Builder overflow = turnedAway("some_new_words");
    overflow.getCommonPropertiesBuilder().getResponseFlagsBuilder().setUpstreamOverflow(true);
    HTTPAccessLogEntry.Builder limited = turnedAway("some_new_words");
    limited.getCommonPropertiesBuilder().getResponseFlagsBuilder().setRateLimited(true);
    HTTPAccessLogEntry.Builder overload = turnedAway("some_new_words");
    overload.getCommonPropertiesBuilder().getResponseFlagsBuilder().setOverloadManager(true);

    assertThat(reason(overflow)).isEqualTo("overflow: some_new_words");
    assertThat(reason(limited)).isEqualTo("local_rate_limited: some_new_words");
    assertThat(reason(overload)).isEqualTo("overload: some_new_words");
  }

  private String reason(HTTPAccessLogEntry.Builder entry) {
    return ((Failed) ((Event) translate(entry)).event()).reason();
  }

  @Test
  void shouldIgnoreWhatEnvoyTurnedAwayThatWasForNoPoolOrNoWebSocket() {
    HTTPAccessLogEntry.Builder plain = turnedAway("local_rate_limited");
    plain.getRequestBuilder().clearRequestHeaders();
    HTTPAccessLogEntry.Builder nowhere = turnedAway("overload");
    nowhere.getCommonPropertiesBuilder().clearRouteName();

    assertThat(translate(plain)).isEqualTo(Ignored.INSTANCE);
    assertThat(translate(nowhere)).isEqualTo(Ignored.INSTANCE);
    assertThat(translate(turnedAway("no_healthy_upstream"))).isEqualTo(Ignored.INSTANCE);
  }

  @Test
  void shouldOnlyCountWhatEnvoyTurnedAwayBeforeItAsked() {
    HTTPAccessLogEntry.Builder limited = limited(turnedAway("local_rate_limited"));
    HTTPAccessLogEntry.Builder admitted = limited(refused(503, "local_rate_limited"));
    HTTPAccessLogEntry.Builder answered = limited(turnedAway("via_upstream"));

    assertThat(translate(limited)).isEqualTo(Limited.INSTANCE);
    assertThat(translate(admitted)).as("a slot to give back").isInstanceOf(Event.class);
    assertThat(translate(answered)).as("by a pod").isEqualTo(Ignored.INSTANCE);
  }

  private static HTTPAccessLogEntry.Builder limited(HTTPAccessLogEntry.Builder entry) {
    entry.getResponseBuilder().putResponseHeaders("x-ledger-limited", "address");
    return entry;
  }

  /** A handshake that was never decided on, and reached no pod. */
  private static HTTPAccessLogEntry.Builder turnedAway(String details) {
    HTTPAccessLogEntry.Builder entry = code(unleased(DownstreamEnd), 503);
    entry
        .getCommonPropertiesBuilder()
        .clearUpstreamRemoteAddress()
        .clearUpstreamCluster()
        .setRouteName("chat");
    entry.getResponseBuilder().setResponseCodeDetails(details);
    entry.getRequestBuilder().putRequestHeaders("upgrade", "WebSocket");
    return entry;
  }

  @Test
  void shouldFailAReservationWhoseHandshakeThePodRefused() {
    HTTPAccessLogEntry.Builder entry = refused(400, "via_upstream");
    entry.getCommonPropertiesBuilder().setUpstreamRemoteAddress(address("10.0.0.7", 8080));

    assertThat(translate(entry))
        .isEqualTo(
            new Event(
                new Failed("chat", RESERVATION, POD, "envoy-1", 400, "via_upstream", CLIENT, NOW)));
  }

  @Test
  void shouldFailAReservationThatReachedNoPod() {
    assertThat(translate(refused(429, "local_rate_limited")))
        .isEqualTo(
            new Event(
                new Failed(
                    "chat", RESERVATION, null, "envoy-1", 429, "local_rate_limited", CLIENT, NOW)));
  }

  @Test
  void shouldFailAReservationWhoseClientLeftWithoutAnAnswer() {
    HTTPAccessLogEntry.Builder entry = refused(0, "downstream_remote_disconnect");
    entry.getResponseBuilder().clearResponseCode();

    assertThat(translate(entry))
        .isEqualTo(
            new Event(
                new Failed(
                    "chat",
                    RESERVATION,
                    null,
                    "envoy-1",
                    0,
                    "downstream_remote_disconnect",
                    CLIENT,
                    NOW)));
  }

  @Test
  void shouldFailAReservationOnItsOwnPodWhenTheUpstreamIsNoSocket() {
    HTTPAccessLogEntry.Builder entry = refused(503, "x");
    entry.getCommonPropertiesBuilder().setUpstreamRemoteAddress(pipe());

    assertThat(translate(entry))
        .isEqualTo(
            new Event(new Failed("chat", RESERVATION, POD, "envoy-1", 503, "x", CLIENT, NOW)));
  }

  private static PoolPolicy pool(String name) {
    return PolicyFixtures.unlimited(name, 1, List.of());
  }

  @ParameterizedTest
  @CsvSource({
    "outbound|8080||chat.default.svc.cluster.local, other.example, istio",
    "httproute/default/chat/rule/0, other.example, gateway",
    "httproute/default/game/rule/0, game.example, by-host",
    "chat, game.example:8443, by-host",
    "chat, other.example, chat",
  })
  void shouldKnowThePoolOfAConnectionThatWasNeverChecked(
      String cluster, String authority, String pool) {
    PoolIndex index =
        PoolIndex.of(
            List.of(
                pool("istio")
                    .claiming(List.of("outbound|8080||chat.default.svc.cluster.local"), List.of()),
                pool("gateway").claiming(List.of("httproute/default/chat/rule/*"), List.of()),
                pool("by-host").claiming(List.of(), List.of(new HostMatch("game.example", "/")))));
    HTTPAccessLogEntry.Builder entry = unleased(DownstreamPeriodic);
    entry.getCommonPropertiesBuilder().setUpstreamCluster(cluster);
    entry.getRequestBuilder().setAuthority(authority).setPath("/");

    assertThat(new AccessLogTranslator("envoy-1", () -> index).translate(entry.build(), NOW))
        .isEqualTo(new Heartbeat(pool, POD, UNLEASED));
  }

  @Test
  void shouldSayThatNoPoolClaimsACluster() {
    HTTPAccessLogEntry.Builder entry = unleased(DownstreamPeriodic);
    entry.getCommonPropertiesBuilder().setUpstreamCluster("httproute/default/chat/rule/0");

    assertThat(translate(entry))
        .isInstanceOfSatisfying(
            Malformed.class,
            malformed -> assertThat(malformed.cause()).isEqualTo(DeadLetterCause.UNCLAIMED));
  }

  static Stream<HTTPAccessLogEntry.Builder> denied() {
    return Stream.of(
        admission(
            refused(503, "ext_authz_denied"),
            Map.of("pool", "chat", "reason", "pod_limit", "reservation", RESERVATION)),
        admission(refused(503, "ext_authz_denied"), Map.of("pool", "chat", "reason", "pod_limit")),
        admission(
            refused(503, "ext_authz_denied"), Map.of("pool", "chat", "reservation", RESERVATION)),
        admission(refused(503, "ext_authz_denied"), Map.of("pool", "no pool", "reason", "x")),
        // Not enforced (shadow mode), and then refused by the pod.
        admission(
            refused(400, "via_upstream"),
            Map.of("pool", "chat", "reason", "pod_limit", "reservation", RESERVATION)),
        admission(
            refused(400, "via_upstream"),
            Map.of(
                "x-ledger-pool", "chat",
                "x-ledger-reason", "pod_limit",
                "x-ledger-reservation", RESERVATION)));
  }

  @ParameterizedTest
  @MethodSource("denied")
  void shouldIgnoreTheEndOfADenial(HTTPAccessLogEntry.Builder entry) {
    assertThat(translate(entry)).isEqualTo(Ignored.INSTANCE);
  }

  @Test
  void shouldCountAConnectionThatARejectionInShadowModeLetIn() {
    HTTPAccessLogEntry.Builder entry = unleased(DownstreamTunnelSuccessfullyEstablished);
    admission(entry, Map.of("pool", "chat", "reason", "pod_limit", "reservation", RESERVATION));

    assertThat(translate(entry))
        .isEqualTo(new Event(new Opened("chat", RESERVATION, POD, "envoy-1", STARTED_MS, NOW)));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 100, 200, 302, 400, 503})
  void shouldIgnoreAPeriodicEntryOfAPendingHandshakeOrAPlainRequest(int code) {
    assertThat(translate(code(leased(DownstreamPeriodic, RESERVATION), code)))
        .isEqualTo(Ignored.INSTANCE);
  }

  @ParameterizedTest
  @EnumSource(
      value = HTTPVersion.class,
      names = {"HTTP2", "HTTP3"})
  void shouldCountAReservedTunnelOverHttp2And3(HTTPVersion version) {
    assertThat(
            translate(
                code(leased(DownstreamPeriodic, RESERVATION), 200).setProtocolVersion(version)))
        .isEqualTo(new Heartbeat("chat", POD, RESERVATION));
    assertThat(translate(code(leased(DownstreamEnd, RESERVATION), 200).setProtocolVersion(version)))
        .isInstanceOfSatisfying(
            Event.class, event -> assertThat(event.event()).isInstanceOf(Closed.class));
  }

  @ParameterizedTest
  @EnumSource(
      value = AccessLogType.class,
      names = {"DownstreamPeriodic", "DownstreamEnd", "DownstreamTunnelSuccessfullyEstablished"})
  void shouldIgnoreAnOrdinaryHttp2Request(AccessLogType type) {
    HTTPAccessLogEntry.Builder entry =
        code(unleased(type), 200).setProtocolVersion(HTTPVersion.HTTP2);

    assertThat(translate(entry)).isEqualTo(Ignored.INSTANCE);
  }

  static Stream<AccessLogType> uncountedTypes() {
    return Arrays.stream(AccessLogType.values())
        .filter(
            type ->
                switch (type) {
                  case NotSet,
                      DownstreamPeriodic,
                      DownstreamEnd,
                      DownstreamTunnelSuccessfullyEstablished,
                      UNRECOGNIZED ->
                      false;
                  default -> true;
                });
  }

  @ParameterizedTest
  @MethodSource("uncountedTypes")
  void shouldIgnoreEveryOtherType(AccessLogType type) {
    assertThat(translate(leased(type, RESERVATION))).isEqualTo(Ignored.INSTANCE);
  }

  @Test
  void shouldIgnoreATypeOfALaterEnvoy() {
    HTTPAccessLogEntry.Builder entry = leased(DownstreamEnd, RESERVATION);
    entry.getCommonPropertiesBuilder().setAccessLogTypeValue(99);

    assertThat(translate(entry)).isEqualTo(Ignored.INSTANCE);
  }

  @ParameterizedTest
  @CsvSource({
    "pod, 10.0.0.7:8080",
    "pod, '10.0.0.7:8080,10.0.0.8:8080'",
    "x-ledger-endpoint, 10.0.0.7:8080"
  })
  void shouldTakeThePodOfTheAdmissionWhereEnvoysAddressIsNone(String key, String placed) {
    HTTPAccessLogEntry.Builder entry = unleased(DownstreamPeriodic);
    admission(entry, Map.of("pool", "chat", "reservation", RESERVATION, key, placed));
    entry.getCommonPropertiesBuilder().setUpstreamRemoteAddress(pipe());

    assertThat(translate(entry)).isEqualTo(new Heartbeat("chat", POD, RESERVATION));
  }

  @ParameterizedTest
  @ValueSource(strings = {"SPDY/3.1", "h2c", "websockets", "h2c, spdy/3.1"})
  void shouldIgnoreAConnectionOfAnotherProtocolThatWasNeverChecked(String upgrade) {
    for (AccessLogType type :
        List.of(DownstreamTunnelSuccessfullyEstablished, DownstreamPeriodic, DownstreamEnd)) {
      HTTPAccessLogEntry.Builder entry = unleased(type);
      entry.getRequestBuilder().putRequestHeaders("upgrade", upgrade);

      assertThat(translate(entry)).isEqualTo(Ignored.INSTANCE);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"websocket", "WebSocket", "h2c, websocket"})
  void shouldCountAWebSocketThatWasNeverChecked(String upgrade) {
    HTTPAccessLogEntry.Builder entry = unleased(DownstreamPeriodic);
    entry.getRequestBuilder().putRequestHeaders("upgrade", upgrade);

    assertThat(translate(entry)).isEqualTo(new Heartbeat("chat", POD, UNLEASED));
  }

  static Stream<HTTPAccessLogEntry.Builder> foreign() {
    return Stream.of(
        HTTPAccessLogEntry.newBuilder(),
        leased(DownstreamEnd, RESERVATION).clearCommonProperties(),
        leased(AccessLogType.NotSet, RESERVATION));
  }

  @ParameterizedTest
  @MethodSource("foreign")
  void shouldTakeALogWithoutTypesForForeign(HTTPAccessLogEntry.Builder entry) {
    assertThat(translate(entry))
        .isInstanceOfSatisfying(
            Malformed.class,
            malformed -> {
              assertThat(malformed.cause()).isEqualTo(DeadLetterCause.FOREIGN);
              assertThat(malformed.reason()).startsWith("the access log has no types: ");
            });
  }

  private static HTTPAccessLogEntry.Builder with(
      HTTPAccessLogEntry.Builder entry, Consumer<HTTPAccessLogEntry.Builder> change) {
    change.accept(entry);
    return entry;
  }

  static Stream<HTTPAccessLogEntry.Builder> malformed() {
    return Stream.of(
        leased(DownstreamPeriodic, ""),
        leased(DownstreamPeriodic, "not an id\n"),
        leased(DownstreamEnd, "x".repeat(65)),
        code(leased(DownstreamEnd, "not an id"), 503),
        admission(leased(DownstreamPeriodic, RESERVATION), Map.of("pool", "")),
        admission(
            leased(DownstreamPeriodic, RESERVATION), Map.of("pool", "a|\nb" + "x".repeat(4_000))),
        with(
            unleased(DownstreamPeriodic),
            e -> e.getCommonPropertiesBuilder().clearUpstreamCluster()),
        with(
            unleased(DownstreamTunnelSuccessfullyEstablished),
            e -> e.getCommonPropertiesBuilder().clearUpstreamRemoteAddress()),
        with(
            unleased(DownstreamPeriodic),
            e -> e.getCommonPropertiesBuilder().setUpstreamRemoteAddress(pipe())),
        with(
            leased(DownstreamPeriodic, RESERVATION),
            e ->
                e.getCommonPropertiesBuilder()
                    .setUpstreamRemoteAddress(address("pod-1.example", 80))),
        with(
            leased(DownstreamPeriodic, RESERVATION),
            e -> e.getCommonPropertiesBuilder().setUpstreamRemoteAddress(address("10.0.0.7", 0))),
        with(unleased(DownstreamPeriodic), e -> e.getCommonPropertiesBuilder().clearStartTime()),
        with(
            unleased(DownstreamPeriodic),
            e -> e.getCommonPropertiesBuilder().setDownstreamRemoteAddress(pipe())));
  }

  @ParameterizedTest
  @MethodSource("malformed")
  void shouldSayInOneLineWhatIsMalformed(HTTPAccessLogEntry.Builder entry) {
    assertThat(translate(entry))
        .isInstanceOfSatisfying(
            Malformed.class,
            malformed -> {
              assertThat(malformed.cause()).isEqualTo(DeadLetterCause.MALFORMED);
              assertThat(malformed.reason())
                  .isNotBlank()
                  .doesNotContain("\n")
                  .hasSizeLessThanOrEqualTo(AccessLogTranslator.MAX_TEXT);
            });
  }

  @Test
  void shouldReplaceAStartTimeThatCannotBe() {
    HTTPAccessLogEntry.Builder entry = leased(DownstreamTunnelSuccessfullyEstablished, RESERVATION);
    entry.getCommonPropertiesBuilder().getStartTimeBuilder().setSeconds(Long.MAX_VALUE);

    assertThat(translate(entry))
        .isEqualTo(new Event(new Opened("chat", RESERVATION, POD, "envoy-1", NOW, NOW)));
  }

  private static Address pipe() {
    return Address.newBuilder().setPipe(Pipe.newBuilder().setPath("/run/x")).build();
  }
}
