package io.connectionledger.app.query;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

/** How answers in the shapes of the contract read. */
final class QueryTest {

  static final String CONNECTIONS =
      """
      {"pool":"chat","asOf":"2026-11-21T12:00:00.123Z","mode":"enforce","active":19,"reserved":1,
       "pods":[
        {"pod":"chat-1","address":"10.0.0.1:80","active":10,"reserved":0,"limit":10,"state":"full",
         "overLimit":false},
        {"pod":"chat-2","address":"10.0.0.2:80","active":5,"reserved":1,"limit":10,
         "state":"available","overLimit":false},
        {"pod":"10.0.0.9:80","address":"10.0.0.9:80","active":4,"reserved":0,"limit":3,
         "state":"gone","overLimit":true}]}
      """;

  static final String REJECTIONS =
      """
      {"pool":"chat","asOf":"2026-11-21T12:00:00.123Z",
       "windows":{"5m":{"pod_limit":2},"15m":{"rate_limited":30,"pod_limit":2},
                  "1h":{"rate_limited":1234,"pod_limit":2}},
       "pods":[{"pod":"chat-1","address":"10.0.0.1:80",
                "windows":{"5m":{"pod_limit":2},"15m":{"pod_limit":2},"1h":{"pod_limit":2}}},
               {"pod":"chat-2","address":"10.0.0.2:80","windows":{"5m":{},"15m":{},"1h":{}}}]}
      """;

  private static List<String> picture(Query query, String answer) {
    return query.picture(json(answer), 100);
  }

  static JsonNode json(String text) {
    try {
      return new ObjectMapper().readTree(text);
    } catch (JsonProcessingException mistake) {
      throw new IllegalArgumentException(mistake);
    }
  }

  @Test
  void shouldShowConnections() {
    assertThat(picture(Query.CONNECTIONS, CONNECTIONS))
        .containsExactly(
            "chat: 19 active, 1 reserved of 20 on 3 pods",
            "  POD          ADDRESS      ACTIVE  RESERVED  LIMIT  STATE",
            "  chat-1       10.0.0.1:80      10         0     10  full",
            "  chat-2       10.0.0.2:80       5         1     10  available",
            "  10.0.0.9:80  10.0.0.9:80       4         0      3  gone, overLimit");
  }

  @Test
  void shouldSayWhenTheAnswerIsOldAndThatNothingIsEnforced() {
    assertThat(
            picture(
                Query.CONNECTIONS,
                "{\"pool\":\"chat\",\"mode\":\"shadow\",\"active\":1,\"reserved\":0,"
                    + "\"staleMillis\":1500,\"pods\":[]}"))
        .containsExactly("chat: 1 active, 0 reserved of 0 on 0 pods, shadow mode (1.5 s ago)");
  }

  @Test
  void shouldShowRejections() {
    assertThat(picture(Query.REJECTIONS, REJECTIONS))
        .containsExactly(
            "chat: rejected 2 in 5m, 32 in 15m, 1236 in 1h",
            "  REJECTED      5m  15m    1h",
            "  pod_limit      2    2     2",
            "  rate_limited   0   30  1234",
            "  all            2   32  1236",
            "",
            "  POD     ADDRESS      REJECTED   5m  15m  1h",
            "  chat-1  10.0.0.1:80  pod_limit   2    2   2");
  }

  @Test
  void shouldShowNoTableWhereNothingWasRejected() {
    assertThat(
            picture(
                Query.REJECTIONS,
                "{\"pool\":\"chat\",\"windows\":{\"5m\":{},\"15m\":{},\"1h\":{}},\"pods\":[]}"))
        .containsExactly("chat: rejected 0 in 5m, 0 in 15m, 0 in 1h");
  }

  @Test
  void shouldShowScaling() {
    assertThat(
            picture(
                Query.SCALING,
                """
                {"pool":"chat","asOf":"2026-11-21T12:00:00Z","ready":true,"desiredPods":1,
                 "scaleDown":[{"pod":"chat-2","address":"10.0.0.2:80","priority":1,"active":5},
                              {"pod":"chat-1","address":"10.0.0.1:80","priority":2,"active":10}]}
                """))
        .containsExactly(
            "chat: 1 pod desired, 2 there, ready",
            "  PRIORITY  POD     ADDRESS      ACTIVE",
            "         1  chat-2  10.0.0.2:80       5",
            "         2  chat-1  10.0.0.1:80      10");
  }

  @Test
  void shouldShowReadinessAndNeverRoundUpToComplete() {
    assertThat(
            picture(
                Query.READINESS,
                """
                {"pool":"chat","asOf":"2026-11-21T12:00:05Z","ready":false,"completeness":0.9999,
                 "envoys":[{"node":"envoy-1","lastSeen":"2026-11-21T12:00:03.750Z","connections":7}],
                 "reasons":["one","two"]}
                """))
        .containsExactly(
            "chat: not ready (one; two), 99.9 % complete, 1 Envoy",
            "  ENVOY    CONNECTIONS  LAST SEEN", "  envoy-1            7  1.3 s ago");
  }

  @Test
  void shouldShowEverything() {
    assertThat(
            picture(
                Query.DETAILED,
                """
                {"pool":"chat","asOf":"2026-11-21T12:00:05Z","mode":"enforce","active":7,
                 "reserved":0,"windows":{"5m":{"pod_limit":1},"1h":{"pod_limit":3}},
                 "desiredPods":2,"scaling":{"ready":true,"reasons":[]},
                 "readiness":{"ready":true,"completeness":1.0,"reasons":[],"envoys":[
                  {"node":"envoy-1","lastSeen":"2026-11-21T12:00:05Z","connections":7}]},
                 "pods":[
                  {"pod":"chat-1","address":"10.0.0.1:80","active":7,"reserved":0,"limit":10,
                   "state":"draining","overLimit":false,"drainUntil":"2026-11-21T12:10:00Z",
                   "drainTo":5,"priority":1,"windows":{"5m":{},"1h":{"pod_limit":2}}},
                  {"pod":"10.0.0.9:80","address":"10.0.0.9:80","active":0,"reserved":0,"limit":10,
                   "state":"gone","overLimit":false,"windows":{}}]}
                """))
        .containsExactly(
            "chat: 7 active, 0 reserved of 10 on 2 pods; 2 pods desired, scaling ready;"
                + " counts ready, 100 % complete",
            "  POD          ADDRESS      ACTIVE  RESERVED  LIMIT  STATE                     SCALE DOWN",
            "  chat-1       10.0.0.1:80       7         0     10  draining, 0 by 12:10:00Z           1",
            "  10.0.0.9:80  10.0.0.9:80       0         0     10  gone                               -",
            "",
            "  REJECTED   5m  1h",
            "  pod_limit   1   3",
            "",
            "  POD     ADDRESS      REJECTED   5m  1h",
            "  chat-1  10.0.0.1:80  pod_limit   0   2",
            "",
            "  ENVOY    CONNECTIONS  LAST SEEN",
            "  envoy-1            7  0.0 s ago");
  }

  @Test
  void shouldDrawBarsToScale() {
    assertThat(TopPicture.bar(0, 0, 10)).isEqualTo("[....................]");
    assertThat(TopPicture.bar(5, 1, 10)).isEqualTo("[##########++........]");
    assertThat(TopPicture.bar(10, 0, 10)).isEqualTo("[####################]");
    assertThat(TopPicture.bar(12, 0, 10)).isEqualTo("[####################!");
    assertThat(TopPicture.bar(1, 1, 10_000)).isEqualTo("[#+..................]");
    assertThat(TopPicture.bar(9_999, 1, 10_000)).isEqualTo("[###################+]");
  }

  @Test
  void shouldShowAllPoolsAtOnce() {
    // Given
    TopPicture picture =
        new TopPicture(
            "http://ledger:8090",
            List.of(
                new TopPicture.PoolMoment(
                    json(CONNECTIONS), json(REJECTIONS), OptionalDouble.of(12.34))));
    // When
    List<String> lines = picture.lines(80);
    List<String> plain = picture.plainLines();
    // Then
    assertThat(lines)
        .containsExactly(
            "ledger http://ledger:8090   1 pool, 19 active, 12.3 decisions/s",
            "",
            "chat: 19 active, 1 reserved of 20 on 3 pods, 12.3 decisions/s",
            "  rejected in 5m: pod_limit 2",
            "  POD          ACTIVE  RESERVED  LIMIT                          STATE",
            "  chat-1           10         0     10  [####################]  full",
            "  chat-2            5         1     10  [##########++........]  available",
            "  10.0.0.9:80       4         0      3  [####################!  gone");
    assertThat(plain)
        .containsExactly(
            "2026-11-21T12:00:00.123Z chat: 19 active, 1 reserved of 20 on 3 pods,"
                + " 12.3 decisions/s, rejected in 5m: pod_limit 2");
  }

  @Test
  void shouldReadCountersOfEachPool() {
    // When
    Samples samples =
        Samples.of(
            """
            # TYPE websocket_connections_attempted_total counter
            websocket_connections_attempted_total{pool="chat"} 20.0
            websocket_connections_attempted_total{instance="a",pool="chat"} 1.5E1
            websocket_connections_attempted_total_other{pool="chat"} 7
            websocket_connections_attempted_total{notpool="chat"} 7
            """,
            "websocket_connections_attempted_total");
    // Then
    assertThat(samples.of("chat")).isEqualTo(35);
    assertThat(samples.of("games")).isZero();
  }

  @Test
  void shouldExplainARejection() {
    assertThat(
            ExplainCommand.lines(
                json(
                    """
                    {"id":"AZ0123456789abcd","pool":"chat","at":"2026-11-21T12:00:00Z",
                     "outcome":"rejected","reason":"pod_limit","status":503,"retryAfterSeconds":4,
                     "mode":"enforce","rule":"every pod held its limit, open and reserved together",
                     "state":{"tokens":3.25,"pods":2,"tripped":0,"active":19,"reserved":1,
                     "limit":10,"waitMs":3500}}
                    """)))
        .containsExactly(
            "AZ0123456789abcd of pool chat, 2026-11-21T12:00:00Z",
            "rejected with pod_limit (503), to come back after 4 s",
            "because every pod held its limit, open and reserved together",
            "",
            "The pool at that moment, before the decision:",
            "  tokens in the bucket                     3.25",
            "  pods that connections may be placed on      2",
            "  of them with room, but an open circuit      0",
            "  open connections                           19",
            "  reserved connections                        1",
            "  limit of each pod                          10",
            "  until a client that is alone gets in    3.5 s");
  }

  @Test
  void shouldSayForHowManyARejectionStands() {
    assertThat(
            ExplainCommand.lines(
                json(
                    """
                    {"id":"AZ0123456789abcd","pool":"chat","at":"2026-11-21T12:00:00.999Z",
                     "outcome":"rejected","reason":"no_owner","status":503,"retryAfterSeconds":4,
                     "count":1234,"from":"2026-11-21T12:00:00.050Z","mode":"enforce","rule":"r"}
                    """)))
        .contains(
            "in a flood: it was the last of 1234 checks since 2026-11-21T12:00:00.050Z, of which the"
                + " others were only counted");
  }

  @Test
  void shouldExplainAnAdmissionWithoutState() {
    assertThat(
            ExplainCommand.lines(
                json(
                    """
                    {"id":"AZ0123456789abcd","pool":"chat","at":"2026-11-21T12:00:00Z",
                     "outcome":"allowed","pod":"10.0.0.1:80","mode":"shadow","rule":"r"}
                    """)))
        .containsExactly(
            "AZ0123456789abcd of pool chat, 2026-11-21T12:00:00Z",
            "admitted to 10.0.0.1:80",
            "because r",
            "in shadow mode: it was recorded, and the request passed as it came",
            "No pool's state was looked at.");
  }
}
