package io.connectionledger.app.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.app.Main;
import io.connectionledger.testkit.JavaCommands;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A password of Kafka's is where the operator wrote it, and nowhere else. */
class KafkaSecretsIT {

  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final String PASSWORD = "correct-horse-battery";
  private static final Pattern HTTP_PORT = Pattern.compile("Instance started.*http=\\D*(\\d+)");

  @TempDir private static Path folder;
  private static SecuredKafka kafka;

  @BeforeAll
  static void startKafka() throws Exception {
    kafka = SecuredKafka.start(folder.resolve("kafka"));
  }

  @AfterAll
  static void stopKafka() {
    kafka.close();
  }

  @Test
  void shouldTellItNobodyWhileItRuns() throws Exception {
    Path properties = properties("runs", kafka.client("admin", SecuredKafka.ADMIN_PASSWORD));
    Path log = folder.resolve("runs.log");
    Process ledger = serve("runs", properties, log);
    try (HttpClient http = HttpClient.newHttpClient()) {
      Awaitility.await("started").atMost(LIMIT).until(() -> port(log) > 0);
      URI root = URI.create("http://127.0.0.1:" + port(log) + "/");
      Awaitility.await("ready")
          .atMost(LIMIT)
          .until(() -> get(http, root, "health/ready").contains("\"ready\""));
      for (String path : List.of("metrics", "v1/pools", "v1/pools/none/connections", "nothing")) {
        assertThat(get(http, root, path))
            .as(path)
            .isNotEmpty()
            .doesNotContain(SecuredKafka.ADMIN_PASSWORD);
      }
      assertThat(arguments(ledger)).contains("serve").doesNotContain(SecuredKafka.ADMIN_PASSWORD);
    } finally {
      stop(ledger);
    }
    assertThat(Files.readString(log))
        .as("Kafka's clients have told their settings")
        .contains("ProducerConfig values", "ConsumerConfig values", "AdminClientConfig values")
        .contains("sasl.jaas.config = [hidden]")
        .doesNotContain(SecuredKafka.ADMIN_PASSWORD);
  }

  @Test
  void shouldNotTellItWhenTheStartIsRefused() throws Exception {
    Map<String, String> wrong = new HashMap<>(kafka.client("admin", PASSWORD));
    assertThat(refused("wrong-password", wrong)).contains("Authentication failed");

    wrong.put("ssl.truststore.location", "/nowhere.pem");
    assertThat(refused("no-truststore", wrong)).contains("nowhere.pem");
  }

  @Test
  void shouldNotTellWhatIsNoPropertyOfALoginModule() throws Exception {
    Map<String, String> malformed = new HashMap<>(kafka.client("admin", PASSWORD));
    String module = "org.apache.kafka.common.security.scram.ScramLoginModule required ";
    int n = 0;
    for (String rest :
        Stream.of(
                "username=admin password=%s",
                "username=admin password=two %s;",
                "username=admin password=\"%s;",
                "password %s;",
                "%s")
            .map(each -> each.formatted(PASSWORD))
            .toList()) {
      malformed.put("sasl.jaas.config", module + rest);
      assertThat(refused("malformed-" + n++, malformed)).as(rest).contains("kafka.properties");
    }
  }

  /** What it says, all of it, where it does not start. */
  private static String refused(String name, Map<String, String> client) throws Exception {
    Path log = folder.resolve(name + ".log");
    Process ledger = serve(name, properties(name, client), log);
    try {
      assertThat(ledger.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).as(name).isTrue();
    } finally {
      stop(ledger);
    }
    String said = Files.readString(log);
    assertThat(ledger.exitValue()).as(said).isIn(1, 2);
    assertThat(said).doesNotContain(PASSWORD);
    return said;
  }

  private static Path properties(String name, Map<String, String> client) throws IOException {
    return Files.write(
        folder.resolve(name + ".properties"),
        client.entrySet().stream().map(entry -> entry.getKey() + "=" + entry.getValue()).toList());
  }

  /** With all that Kafka says at INFO. */
  private static Process serve(String name, Path properties, Path log) throws IOException {
    Path config =
        Files.writeString(
            folder.resolve(name + ".yaml"),
            """
            data-dir: '%s'
            kafka: { bootstrap-servers: '%s', partitions: 2, properties-file: '%s' }
            als: { port: 0 }
            authz: { port: 0 }
            http: { port: 0 }
            xds: { port: 0 }
            """
                .formatted(folder.resolve(name), kafka.bootstrapServers(), properties));
    Path logging =
        Files.writeString(
            folder.resolve("logback.xml"),
            """
            <configuration>
              <appender name="STDERR" class="ch.qos.logback.core.ConsoleAppender">
                <target>System.err</target>
                <encoder><pattern>%level %logger{0} %msg %kvp%n</pattern></encoder>
              </appender>
              <root level="INFO"><appender-ref ref="STDERR"/></root>
            </configuration>
            """);
    List<String> command =
        new ArrayList<>(
            JavaCommands.of(
                List.of("-Dlogback.configurationFile=" + logging),
                Main.class,
                "serve",
                "--config",
                config.toString()));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(log.toFile())
        .start();
  }

  private static int port(Path log) throws IOException {
    Matcher port = HTTP_PORT.matcher(Files.readString(log));
    return port.find() ? Integer.parseInt(port.group(1)) : 0;
  }

  private static String get(HttpClient http, URI root, String path) throws Exception {
    return http.send(HttpRequest.newBuilder(root.resolve(path)).build(), BodyHandlers.ofString())
        .body();
  }

  /** As everybody on the machine can read them. */
  private static String arguments(Process process) throws IOException {
    return Files.readString(Path.of("/proc", Long.toString(process.pid()), "cmdline"));
  }

  private static void stop(Process process) throws InterruptedException {
    process.destroy();
    if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      process.destroyForcibly().waitFor();
    }
  }
}
