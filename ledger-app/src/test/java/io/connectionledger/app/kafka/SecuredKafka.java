package io.connectionledger.app.kafka;

import io.connectionledger.testkit.FreePorts;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.authorizer.StandardAuthorizer;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.authorizer.Action;
import org.apache.kafka.server.authorizer.AuthorizableRequestContext;
import org.apache.kafka.server.authorizer.AuthorizationResult;
import org.apache.kafka.server.common.Feature;

/**
 * A broker as an operator runs one: clients come by TLS with SCRAM-SHA-512, and may do what ACLs
 * allow them. Its user {@code admin} may do everything.
 */
final class SecuredKafka implements AutoCloseable {

  static final String ADMIN_PASSWORD = "admin-of-a-test";
  private static final String STORE_PASSWORD = "keystore-of-a-test";

  private final KafkaRaftServer server;
  private final Path certificate;
  private final int port;

  private SecuredKafka(KafkaRaftServer server, Path certificate, int port) {
    this.server = server;
    this.certificate = certificate;
    this.port = port;
  }

  /** One thing that somebody asked for. */
  record Asked(String user, String resource, AclOperation operation, boolean allowed) {}

  /** Kafka's own authorizer, which remembers what it was asked. */
  public static final class RecordingAuthorizer extends StandardAuthorizer {

    private static final Queue<Asked> ASKED = new ConcurrentLinkedQueue<>();

    @Override
    public List<AuthorizationResult> authorize(
        AuthorizableRequestContext request, List<Action> actions) {
      List<AuthorizationResult> results = super.authorize(request, actions);
      for (int i = 0; i < actions.size(); i++) {
        Action action = actions.get(i);
        // Without the questions of what somebody might do.
        if (action.logIfAllowed()) {
          ResourcePattern resource = action.resourcePattern();
          ASKED.add(
              new Asked(
                  request.principal().getName(),
                  resource.resourceType() + " " + resource.name(),
                  action.operation(),
                  results.get(i) == AuthorizationResult.ALLOWED));
        }
      }
      return results;
    }
  }

  /** Starts it in an empty folder, with a certificate of its own. */
  static SecuredKafka start(Path folder) throws Exception {
    Files.createDirectories(folder);
    Path store = folder.resolve("keystore.p12");
    Path certificate = folder.resolve("certificate.pem");
    keytool(
        "-genkeypair -alias kafka -keyalg EC -groupname secp256r1 -dname CN=kafka -validity 2"
            + " -ext SAN=IP:127.0.0.1 -storetype PKCS12 -storepass "
            + STORE_PASSWORD
            + " -keystore "
            + store);
    keytool(
        "-exportcert -rfc -alias kafka -storepass "
            + STORE_PASSWORD
            + " -keystore "
            + store
            + " -file "
            + certificate);
    List<Integer> ports = FreePorts.some(2);
    Path logs = folder.resolve("logs");
    format(logs);
    KafkaRaftServer server =
        new KafkaRaftServer(
            new KafkaConfig(settings(logs, store, certificate, ports.get(0), ports.get(1)), false),
            Time.SYSTEM);
    server.startup();
    return new SecuredKafka(server, certificate, ports.get(0));
  }

  private static void keytool(String line) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of(line.split(" ")));
    Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (keytool.waitFor() != 0) {
      throw new IllegalStateException(said);
    }
  }

  private static void format(Path logs) throws Exception {
    new Formatter()
        .setNodeId(1)
        .setClusterId(Uuid.randomUuid().toString())
        .addDirectory(logs.toString())
        .setMetadataLogDirectory(logs.toString())
        .setControllerListenerName("CONTROLLER")
        .setSupportedFeatures(Feature.PRODUCTION_FEATURES)
        .setScramArguments(List.of("SCRAM-SHA-512=[name=admin,password=" + ADMIN_PASSWORD + "]"))
        .setPrintStream(
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
        .run();
  }

  private static Map<String, String> settings(
      Path logs, Path store, Path certificate, int port, int controllerPort) {
    Map<String, String> settings =
        new HashMap<>(
            Map.of(
                "process.roles", "broker,controller",
                "node.id", "1",
                "log.dirs", logs.toString(),
                "controller.quorum.voters", "1@127.0.0.1:" + controllerPort,
                "controller.listener.names", "CONTROLLER",
                "inter.broker.listener.name", "CLIENTS",
                "listener.security.protocol.map", "CLIENTS:SASL_SSL,CONTROLLER:PLAINTEXT",
                "listeners",
                    "CLIENTS://127.0.0.1:" + port + ",CONTROLLER://127.0.0.1:" + controllerPort,
                "authorizer.class.name", RecordingAuthorizer.class.getName(),
                // The broker itself comes to the controller so, from this process alone.
                "super.users", "User:ANONYMOUS;User:admin"));
    settings.putAll(
        Map.of(
            "sasl.enabled.mechanisms", "SCRAM-SHA-512",
            "sasl.mechanism.inter.broker.protocol", "SCRAM-SHA-512",
            "listener.name.clients.scram-sha-512.sasl.jaas.config", jaas("admin", ADMIN_PASSWORD),
            "ssl.keystore.location", store.toString(),
            "ssl.keystore.password", STORE_PASSWORD,
            "ssl.key.password", STORE_PASSWORD,
            "offsets.topic.replication.factor", "1",
            "offsets.topic.num.partitions", "1",
            "auto.create.topics.enable", "false",
            "group.initial.rebalance.delay.ms", "0"));
    settings.put("group.min.session.timeout.ms", "1000");
    // It tries its own certificate as a client of itself.
    settings.put("ssl.truststore.type", "PEM");
    settings.put("ssl.truststore.location", certificate.toString());
    return settings;
  }

  private static String jaas(String user, String password) {
    return "org.apache.kafka.common.security.scram.ScramLoginModule required username=\""
        + user
        + "\" password=\""
        + password
        + "\";";
  }

  String bootstrapServers() {
    return "127.0.0.1:" + port;
  }

  /** What a client needs to come as {@code user}. */
  Map<String, String> client(String user, String password) {
    return Map.of(
        "security.protocol", "SASL_SSL",
        "sasl.mechanism", "SCRAM-SHA-512",
        "sasl.jaas.config", jaas(user, password),
        "ssl.truststore.type", "PEM",
        "ssl.truststore.location", certificate.toString());
  }

  /** One that may do everything. */
  Admin admin() {
    Map<String, Object> settings = new HashMap<>(client("admin", ADMIN_PASSWORD));
    settings.put("bootstrap.servers", bootstrapServers());
    return Admin.create(settings);
  }

  /** Makes a user, who may do nothing yet. */
  void user(Admin admin, String name, String password) throws Exception {
    admin
        .alterUserScramCredentials(
            List.of(
                new UserScramCredentialUpsertion(
                    name, new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), password)))
        .all()
        .get();
  }

  /** What has been asked for in this process's brokers, oldest first. */
  Collection<Asked> asked() {
    return List.copyOf(RecordingAuthorizer.ASKED);
  }

  @Override
  public void close() {
    server.shutdown();
    server.awaitShutdown();
  }
}
