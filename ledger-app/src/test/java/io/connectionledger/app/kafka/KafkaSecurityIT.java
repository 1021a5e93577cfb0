package io.connectionledger.app.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.connectionledger.app.cli.CommandLines;
import io.connectionledger.app.cli.CommandRuns;
import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.config.StartupException;
import io.connectionledger.app.faults.LogOnlyEnvoy;
import io.connectionledger.app.history.ReplayCommand;
import io.connectionledger.app.kafka.AclTable.Right;
import io.connectionledger.app.kafka.SecuredKafka.Asked;
import io.connectionledger.app.serve.Checks;
import io.connectionledger.app.serve.LedgerNode;
import io.connectionledger.app.tail.TailCommand;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Topics;
import io.connectionledger.streams.topology.LedgerStreams;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** A ledger whose Kafka demands TLS, SCRAM-SHA-512 and the rights that docs/kafka.md lists. */
class KafkaSecurityIT {

  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final String POD = "127.0.0.1:9101";

  @TempDir private static Path folder;
  private static SecuredKafka kafka;
  private static Admin admin;
  private static List<Right> table;

  @BeforeAll
  static void startKafka() throws Exception {
    kafka = SecuredKafka.start(folder.resolve("kafka"));
    admin = kafka.admin();
    table = AclTable.read();
    makeTopics();
    for (String role : List.of("ingest", "admission", "control-plane", "command line")) {
      kafka.user(admin, user(role), password(role));
      admin.createAcls(acls(role)).all().get();
    }
  }

  @AfterAll
  static void stopKafka() {
    admin.close();
    kafka.close();
  }

  /** An operator makes them: none of the users may. */
  private static void makeTopics() throws Exception {
    List<NewTopic> topics = new ArrayList<>();
    Topics.ALL.forEach(
        topic -> topics.add(new NewTopic(topic.name(), 3, (short) 1).configs(topic.configs())));
    LedgerStreams.CHANGELOGS.forEach(
        name ->
            topics.add(
                new NewTopic(name, 3, (short) 1).configs(Map.of("cleanup.policy", "compact"))));
    admin.createTopics(topics).all().get();
  }

  private static String user(String role) {
    return role.replace(" ", "-");
  }

  private static String password(String role) {
    return "secret of " + role;
  }

  private static Stream<Right> rights(String role) {
    return table.stream()
        .filter(right -> right.role().equals(role) && right.operation() != AclOperation.CREATE);
  }

  private static List<AclBinding> acls(String role) {
    return rights(role).map(right -> right.of(user(role))).toList();
  }

  /** A properties file for a user. */
  private static Path properties(String role) throws IOException {
    return Files.write(
        folder.resolve(user(role) + ".properties"),
        kafka.client(user(role), password(role)).entrySet().stream()
            .map(entry -> entry.getKey() + "=" + entry.getValue())
            .toList());
  }

  private static LedgerConfig config(Role role) throws IOException {
    return ConfigLoader.parse(
        """
        data-dir: '%s'
        kafka: { bootstrap-servers: '%s', partitions: 3, properties-file: '%s' }
        als: { port: 0 }
        authz: { port: 0, durability: acknowledged }
        http: { port: 0 }
        xds: { port: 0 }
        lease: { reservation: 1s, unreported: 0s }
        pools:
          chat: { per-pod-max-connections: 50, pods: [ { name: one, address: '%s' } ] }
          %s: { per-pod-max-connections: 1 }
        """
            .formatted(
                folder.resolve(role.label()),
                kafka.bootstrapServers(),
                properties(role.label()),
                POD,
                "only-" + role.label()),
        "test",
        Map.of());
  }

  @Test
  void shouldNeedTheRightsOfTheTableAndNoOther() throws Exception {
    try (LedgerNode admission = LedgerNode.start(config(Role.ADMISSION), Set.of(Role.ADMISSION));
        LedgerNode ingest = LedgerNode.start(config(Role.INGEST), Set.of(Role.INGEST));
        LedgerNode control =
            LedgerNode.start(config(Role.CONTROL_PLANE), Set.of(Role.CONTROL_PLANE))) {
      work(admission, ingest);
      assertThat(control.xdsPort()).isPresent();
    }
    assertThat(run(new ReplayCommand(), "--at=-0s", "--output=json")).contains("\"limit\":7");
    assertThat(run(new TailCommand(), "--from=beginning", "--count=1", "--type=allowed"))
        .contains("allowed");

    assertThat(kafka.asked())
        .filteredOn(asked -> !asked.allowed() && !isOfAnIdempotentProducer(asked))
        .isEmpty();
    assertThat(table)
        .filteredOn(right -> right.operation() != AclOperation.CREATE && !right.inKubernetes())
        .allMatch(KafkaSecurityIT::isUsed);
  }

  /** Kafka asks for the right to all topics first, and takes that to any topic instead. */
  private static boolean isOfAnIdempotentProducer(Asked asked) {
    return asked.operation() == AclOperation.IDEMPOTENT_WRITE
        || asked.resource().equals("TOPIC hardcode");
  }

  private static boolean isUsed(Right right) {
    return kafka.asked().stream()
        .anyMatch(
            asked ->
                asked.user().equals(user(right.role()))
                    && asked.operation() == right.operation()
                    && isAbout(asked, right));
  }

  private static boolean isAbout(Asked asked, Right right) {
    String resource = right.resource().resourceType() + " " + right.resource().name();
    return right.resource().patternType() == PatternType.PREFIXED
        ? asked.resource().startsWith(resource)
        : asked.resource().equals(resource);
  }

  /** Everything that has the roles read and write what they ever do. */
  private static void work(LedgerNode admission, LedgerNode ingest) throws Exception {
    Awaitility.await("ready").atMost(LIMIT).until(() -> admission.unready().isEmpty());
    URI api = URI.create("http://127.0.0.1:" + admission.httpPort().orElseThrow() + "/v1/");
    String decision;
    try (Checks checks = Checks.connect(admission.authzPort().orElseThrow())) {
      CheckResponse allowed = checks.send(Checks.webSocket("chat"));
      assertThat(allowed.getStatus().getCode()).isZero();
      decision = allowed.getDynamicMetadata().getFieldsOrThrow("reservation").getStringValue();
    }
    int als = ingest.alsPort().orElseThrow();
    List<PodAddress> pods = List.of(PodAddress.parse(POD));
    try (LogOnlyEnvoy envoy = new LogOnlyEnvoy(als, "envoy-1", "chat", pods, LIMIT);
        LogOnlyEnvoy stray = new LogOnlyEnvoy(als, "envoy-2", "nobody's", pods, LIMIT);
        HttpClient http = HttpClient.newHttpClient()) {
      envoy.open(2);
      stray.open(1);
      Awaitility.await("connections")
          .atMost(LIMIT)
          .until(() -> get(http, api.resolve("pools/chat/connections")).contains("\"active\":2"));
      assertThat(get(http, api.resolve("decisions/" + decision))).contains(decision);
      assertThat(
              send(
                  http,
                  HttpRequest.newBuilder(api.resolve("pools/chat/simulate"))
                      .header("content-type", "application/json")
                      .POST(BodyPublishers.ofString("{\"window\":\"5m\",\"burstCapacity\":3}"))))
          .contains("simulated");
      assertThat(
              send(
                  http,
                  HttpRequest.newBuilder(api.resolve("pools/chat/policy"))
                      .header("content-type", "application/json")
                      .PUT(BodyPublishers.ofString("{\"perPodMaxConnections\":7}"))))
          .contains("7");
    }
    poison();
    Awaitility.await("all of them have written whatever they write")
        .atMost(LIMIT)
        .untilAsserted(
            () ->
                assertThat(table)
                    .filteredOn(
                        right -> right.operation() == AclOperation.WRITE && !right.inKubernetes())
                    .allMatch(KafkaSecurityIT::isUsed));
  }

  private static String get(HttpClient http, URI uri) throws Exception {
    return send(http, HttpRequest.newBuilder(uri));
  }

  private static String send(HttpClient http, HttpRequest.Builder request) throws Exception {
    return http.send(request.build(), BodyHandlers.ofString()).body();
  }

  /** A record that nobody can read. */
  private static void poison() {
    Map<String, Object> settings =
        new HashMap<>(kafka.client("admin", SecuredKafka.ADMIN_PASSWORD));
    settings.put("bootstrap.servers", kafka.bootstrapServers());
    ByteArraySerializer bytes = new ByteArraySerializer();
    try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings, bytes, bytes)) {
      var unused =
          producer.send(
              new ProducerRecord<>(Topics.CONNECTIONS, "chat".getBytes(UTF_8), new byte[] {1}));
    }
  }

  private static String run(Object command, String... arguments) throws IOException {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    assertThat(execute(command, out, err, arguments)).as("%s", err).isZero();
    return out.toString();
  }

  private static int execute(
      Object command, StringWriter out, StringWriter err, String... arguments) throws IOException {
    List<String> all = new ArrayList<>(Arrays.asList(arguments));
    all.add("--bootstrap-servers=" + kafka.bootstrapServers());
    all.add("--kafka-properties=" + properties("command line"));
    return CommandRuns.execute(
        CommandLines.of(new CommandLine(command)), out, err, all.toArray(String[]::new));
  }

  @Test
  void shouldNameTheRightThatIsMissingAtTheStart() throws Exception {
    for (Role role : List.of(Role.INGEST, Role.ADMISSION, Role.CONTROL_PLANE)) {
      for (Right right : rights(role.label()).filter(each -> !each.inKubernetes()).toList()) {
        if (right.operation() == AclOperation.DESCRIBE_CONFIGS) {
          continue;
        }
        without(
            right,
            () -> {
              assertThatThrownBy(() -> setUp(role))
                  .isInstanceOf(StartupException.class)
                  .message()
                  .as("%s", right)
                  .startsWith("Kafka at " + kafka.bootstrapServers() + " does not allow ")
                  .contains(right.text())
                  .endsWith(": allowed must be what docs/kafka.md lists for " + role.label())
                  .hasLineCount(1);
            });
      }
      Awaitility.await(role + " has its rights again").atMost(LIMIT).until(() -> isAllowed(role));
    }
  }

  @Test
  void shouldNameTheTopicThatTheCommandLineMayNotRead() throws Exception {
    for (Right right : rights("command line").filter(each -> !each.inKubernetes()).toList()) {
      without(
          right,
          () -> {
            StringWriter err = new StringWriter();
            assertThat(execute(new ReplayCommand(), new StringWriter(), err, "--at=-0s")).isOne();
            assertThat(err.toString()).contains(right.resource().name()).hasLineCount(1);
          });
    }
  }

  private static void setUp(Role role) throws IOException, InterruptedException {
    TopicSetup.ensure(kafka.bootstrapServers(), config(role).kafka(), Set.of(role));
  }

  private static boolean isAllowed(Role role) throws IOException, InterruptedException {
    try {
      setUp(role);
      return true;
    } catch (StartupException notYet) {
      return false;
    }
  }

  /** Without one of the table's rights, which the broker hears of a moment later. */
  private static void without(Right right, ThrowingAssertion assertion) throws Exception {
    AclBinding acl = right.of(user(right.role()));
    admin.deleteAcls(List.of(acl.toFilter())).all().get();
    try {
      Awaitility.await(right.toString()).atMost(LIMIT).untilAsserted(assertion::check);
    } finally {
      admin.createAcls(List.of(acl)).all().get();
    }
  }

  private interface ThrowingAssertion {
    void check() throws Exception;
  }

  @Test
  void shouldStartWhereSettingsMayNotBeRead() throws Exception {
    Right unread =
        rights("ingest")
            .filter(right -> right.operation() == AclOperation.DESCRIBE_CONFIGS)
            .findFirst()
            .orElseThrow();

    without(unread, () -> assertThat(isAllowed(Role.INGEST)).isTrue());
  }

  @Test
  void shouldMakeTheTopicsWhereItMay() throws Exception {
    try (SecuredKafka fresh = SecuredKafka.start(folder.resolve("fresh"));
        Admin its = fresh.admin()) {
      fresh.user(its, "admission", password("admission"));
      its.createAcls(acls("admission")).all().get();
      LedgerConfig.Kafka settings =
          new LedgerConfig.Kafka(
              fresh.bootstrapServers(),
              new LedgerConfig.Listener("127.0.0.1", 0),
              3,
              (short) 1,
              LedgerConfig.Kafka.RETENTION_BYTES,
              fresh.client("admission", password("admission")));

      assertThatThrownBy(
              () -> TopicSetup.ensure(fresh.bootstrapServers(), settings, Set.of(Role.ADMISSION)))
          .isInstanceOf(StartupException.class)
          .hasMessageContaining("Create on topic connection-ledger-connections-changelog");

      its.createAcls(
              table.stream()
                  .filter(
                      right ->
                          right.role().equals("admission")
                              && right.operation() == AclOperation.CREATE)
                  .map(right -> right.of("admission"))
                  .toList())
          .all()
          .get();
      Awaitility.await("it may")
          .atMost(LIMIT)
          .untilAsserted(
              () -> TopicSetup.ensure(fresh.bootstrapServers(), settings, Set.of(Role.ADMISSION)));
      assertThat(its.listTopics().names().get())
          .containsAll(Topics.ALL.stream().map(Topics.Spec::name).collect(Collectors.toSet()));
    }
  }

  @Test
  void shouldSayInALineThatAPasswordIsWrong() {
    LedgerConfig.Kafka wrong =
        new LedgerConfig.Kafka(
            kafka.bootstrapServers(),
            new LedgerConfig.Listener("127.0.0.1", 0),
            3,
            (short) 1,
            LedgerConfig.Kafka.RETENTION_BYTES,
            kafka.client("ingest", "not the password"));

    assertThatThrownBy(
            () -> TopicSetup.ensure(kafka.bootstrapServers(), wrong, Set.of(Role.INGEST)))
        .isInstanceOf(StartupException.class)
        .hasMessageContaining(kafka.bootstrapServers())
        .hasMessageContaining("Authentication failed")
        .message()
        .hasLineCount(1)
        .doesNotContain("not the password");
  }
}
