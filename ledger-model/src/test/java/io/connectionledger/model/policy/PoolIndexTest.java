package io.connectionledger.model.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PoolIndexTest {

  private static PoolPolicy pool(String name, List<String> clusters, HostMatch... hosts) {
    return new PoolPolicy(
            name,
            PoolPolicy.UNLIMITED_RATE,
            1,
            1,
            PoolPolicy.Mode.ENFORCE,
            PoolPolicy.OnOwnerLoss.DENY,
            List.of())
        .claiming(clusters, List.of(hosts));
  }

  private static final PoolIndex INDEX =
      PoolIndex.of(
          List.of(
              pool(
                  "chat",
                  List.of("outbound|8080||chat.default.svc.cluster.local", "httproute/*/chat/*"),
                  new HostMatch("chat.example.com", "/"),
                  new HostMatch("api.example.com", "/chat")),
              pool(
                  "game",
                  List.of(),
                  new HostMatch("*.example.com", "/game/"),
                  new HostMatch("api.example.com", "/chat/game"))));

  @ParameterizedTest
  @CsvSource({
    "chat, chat",
    "game, game",
    "outbound|8080||chat.default.svc.cluster.local, chat",
    "httproute/default/chat/rule/0, chat",
    "httproute/default/game/rule/0, ",
    "Chat, ",
    "'', ",
  })
  void shouldKnowThePoolOfACluster(String cluster, String pool) {
    assertThat(INDEX.byCluster(cluster)).isEqualTo(pool);
  }

  @ParameterizedTest
  @CsvSource({
    "chat.example.com, /, chat",
    "CHAT.Example.com:8443, /any?x=1, chat",
    "api.example.com, /chat, chat",
    "api.example.com, /chat?room=1, chat",
    "api.example.com, /chat/game, game",
    "api.example.com, /chat/gamers, chat",
    "api.example.com, /chatter, ",
    "api.example.com, /game, game",
    "eu.api.example.com, /game/1, game",
    "example.com, /game, ",
    "chat.example.com, /game, chat",
    "'[::1]:80', /game, ",
    "'', /, ",
  })
  void shouldKnowThePoolOfARequest(String authority, String path, String pool) {
    assertThat(INDEX.byRequest(authority, path)).isEqualTo(pool);
  }

  @Test
  void shouldKnowAnIpv6HostWithAPortAndWithout() {
    PoolIndex index = PoolIndex.of(List.of(pool("chat", List.of(), new HostMatch("[::1]", "/"))));

    assertThat(index.byRequest("[::1]", "/")).isEqualTo("chat");
    assertThat(index.byRequest("[::1]:8080", "/")).isEqualTo("chat");
  }

  @ParameterizedTest
  @CsvSource({
    "same-cluster, same-cluster",
    "httproute/*, httproute/default/chat/rule/0",
    "httproute/*/chat, httproute/default/*",
    "other, x",
    "o*r, x",
  })
  void shouldFindWhatTwoPoolsClaim(String one, String two) {
    assertThat(
            PoolIndex.conflict(
                List.of(
                    pool("one", List.of(one)),
                    pool("two", List.of(two)),
                    pool("other", List.of()))))
        .isPresent();
  }

  @Test
  void shouldNameBothPools() {
    assertThat(
            PoolIndex.conflict(
                List.of(
                    pool("one", List.of(), new HostMatch("a.example", "/x")),
                    pool("two", List.of(), new HostMatch("A.example", "/x/")))))
        .hasValueSatisfying(
            conflict ->
                assertThat(conflict)
                    .hasToString(
                        "pools.two.hosts has 'a.example/x': allowed is what no other pool claims;"
                            + " pool 'one' does"));
  }

  @Test
  void shouldFindNothingWhereEachHasItsOwn() {
    assertThat(
            PoolIndex.conflict(
                List.of(
                    pool("one", List.of("one", "a*", "*b"), new HostMatch("*.example", "/")),
                    pool("two", List.of("c*d"), new HostMatch("a.example", "/")))))
        .isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a b", "*", "a.*", "ex ample", "a..b", "http://a"})
  void shouldRefuseWhatIsNoHost(String host) {
    assertThatThrownBy(() -> new HostMatch(host, "/")).isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "chat", "/a b", "/a?b", "/*"})
  void shouldRefuseWhatIsNoPath(String path) {
    assertThatThrownBy(() -> new HostMatch("a", path)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void shouldOverlapWhereSomeNameFitsBoth() {
    Random random = new Random(1);
    for (int i = 0; i < 20_000; i++) {
      String pattern = text(random, "ab*");
      String name = text(random, "ab");
      Pattern regex =
          Pattern.compile(
              Stream.of(pattern.split("\\*", -1))
                  .map(Pattern::quote)
                  .collect(Collectors.joining(".*")));
      assertThat(PoolIndex.overlap(pattern, name))
          .as(pattern + " and " + name)
          .isEqualTo(regex.matcher(name).matches());
      String other = text(random, "ab*");
      if (PoolIndex.overlap(pattern, name) && PoolIndex.overlap(other, name)) {
        assertThat(PoolIndex.overlap(pattern, other)).as(pattern + " and " + other).isTrue();
      }
    }
  }

  @Test
  void shouldAnswerAsAScanOfAllWould() {
    Random random = new Random(2);
    List<String> hosts =
        List.of("a.example", "b.example", "*.example", "*.b.example", "x.b.example");
    List<String> paths = List.of("/", "/p", "/p/q", "/q");
    for (int i = 0; i < 5_000; i++) {
      List<PoolPolicy> pools = new ArrayList<>();
      List<HostMatch> free = new ArrayList<>();
      hosts.forEach(host -> paths.forEach(path -> free.add(new HostMatch(host, path))));
      Collections.shuffle(free, random);
      for (int p = 0; p < 3; p++) {
        pools.add(pool("pool-" + p, List.of(), free.removeFirst(), free.removeFirst()));
      }
      String host = hosts.get(random.nextInt(hosts.size())).replace("*", "y");
      String path = paths.get(random.nextInt(paths.size())) + (random.nextBoolean() ? "?x" : "");
      String expected =
          pools.stream()
              .flatMap(pool -> pool.hosts().stream().filter(match -> fits(match, host, path)))
              .max(
                  Comparator.comparing((HostMatch match) -> !match.host().startsWith("*"))
                      .thenComparingInt(match -> match.host().length())
                      .thenComparingInt(match -> match.pathPrefix().length()))
              .flatMap(
                  best ->
                      pools.stream()
                          .filter(pool -> pool.hosts().contains(best))
                          .map(PoolPolicy::pool)
                          .findFirst())
              .orElse(null);
      assertThat(PoolIndex.of(pools).byRequest(host, path)).isEqualTo(expected);
    }
  }

  private static boolean fits(HostMatch match, String host, String path) {
    boolean ofHost =
        match.host().startsWith("*")
            ? host.endsWith(match.host().substring(1))
            : host.equals(match.host());
    String plain = path.replace("?x", "");
    return ofHost
        && (match.pathPrefix().equals("/")
            || plain.equals(match.pathPrefix())
            || plain.startsWith(match.pathPrefix() + "/"));
  }

  private static String text(Random random, String letters) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(6); i > 0; i--) {
      text.append(letters.charAt(random.nextInt(letters.length())));
    }
    return text.toString();
  }
}
