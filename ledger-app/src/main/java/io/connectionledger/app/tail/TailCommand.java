package io.connectionledger.app.tail;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.connectionledger.app.cli.CommandLines;
import io.connectionledger.app.cli.FailedException;
import io.connectionledger.app.cli.KafkaPropertiesOption;
import io.connectionledger.app.client.OutputOption;
import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.terminal.Screen;
import io.connectionledger.app.terminal.StopSignal;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.Topics;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code ledger tail}: events and decisions as they happen. */
@Command(
    name = "tail",
    description = "Events and decisions as they happen, a line each.",
    footer = {
      "",
      "Types: opened, closed, failed (connections), allowed, rejected (decisions), and alive, the",
      "Envoys' heartbeats, which are shown only when they are named."
    })
public final class TailCommand implements Callable<Integer> {

  private static final Set<String> EVENTS = Set.of("opened", "alive", "closed", "failed");
  private static final Set<String> DECISIONS = Set.of("allowed", "rejected");
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Ticker ticker = Ticker.system();

  @Spec private CommandSpec spec;
  @Mixin private OutputOption output = new OutputOption();

  @Option(names = "--pool", paramLabel = "POOL", description = "Only of this pool.")
  private @Nullable String pool;

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      split = ",",
      description = "Only of these types, separated by commas.")
  private List<String> types = new ArrayList<>();

  @Option(
      names = "--reason",
      paramLabel = "TEXT",
      description = "Only those whose reason has this in it, for example pod_limit.")
  private @Nullable String reason;

  @Option(
      names = "--from",
      paramLabel = "START",
      defaultValue = "now",
      converter = Start.Converter.class,
      description = "beginning, now, or how long ago: 30s, 15m, 1h (default: ${DEFAULT-VALUE}).")
  private Start from = new Start.Now();

  @Option(
      names = "--count",
      paramLabel = "N",
      description = "End after N lines; without it, at Ctrl-C or SIGTERM.")
  private @Nullable Long count;

  @Option(
      names = "--bootstrap-servers",
      paramLabel = "HOST:PORT",
      description = "The ledger's Kafka (default: 127.0.0.1:9092).")
  private @Nullable String bootstrapServers;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "The ledger's configuration, for its Kafka and the properties of clients.")
  private @Nullable Path config;

  @Mixin private KafkaPropertiesOption properties = new KafkaPropertiesOption();

  @SuppressWarnings("NullAway.Init") // picocli sets spec
  public TailCommand() {}

  @Override
  public Integer call() throws FailedException {
    check();
    StopSignal stop = StopSignal.install();
    int code = 1;
    try (TopicTail tail = TopicTail.open(kafka(), topics(), from, ticker.nowMs())) {
      show(tail, stop);
      code = 0;
      return code;
    } catch (KafkaException lost) {
      throw FailedException.failed("Kafka cannot be read any more: " + lost.getMessage()).by(lost);
    } finally {
      stop.finish(code);
    }
  }

  private void check() {
    for (String type : types) {
      if (!EVENTS.contains(type) && !DECISIONS.contains(type)) {
        throw new ParameterException(
            spec.commandLine(),
            "--type is '"
                + type
                + "': allowed are opened, alive, closed, failed, allowed, rejected");
      }
    }
    if (count != null && count < 1) {
      throw new ParameterException(
          spec.commandLine(), "--count is " + count + ": allowed is 1 or more");
    }
    if (bootstrapServers != null && config != null) {
      throw new ParameterException(
          spec.commandLine(), "--bootstrap-servers and --config exclude each other: give one");
    }
  }

  private Map<String, Object> kafka() {
    Map<String, Object> client = new HashMap<>();
    String servers = bootstrapServers == null ? "127.0.0.1:9092" : bootstrapServers;
    if (config != null) {
      LedgerConfig.Kafka kafka = ConfigLoader.load(config, System.getenv()).kafka();
      client.putAll(kafka.clientProperties());
      servers = kafka.servers();
    }
    client.putAll(properties.read());
    client.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, servers);
    return client;
  }

  /** Only those in which something wanted can be. */
  private Set<String> topics() {
    Set<String> topics = new LinkedHashSet<>();
    if (types.isEmpty() || types.stream().anyMatch(EVENTS::contains)) {
      topics.add(Topics.CONNECTIONS);
    }
    if (types.isEmpty() || types.stream().anyMatch(DECISIONS::contains)) {
      topics.add(Topics.DECISIONS);
    }
    return topics;
  }

  private void show(TopicTail tail, StopSignal stop) {
    PrintWriter out = spec.commandLine().getOut();
    TailFilter filter = new TailFilter(pool, Set.copyOf(types), reason);
    long end = count == null ? Long.MAX_VALUE : count;
    long shown = 0;
    while (!stop.requested() && !Screen.isCutOff(out)) {
      for (ConsumerRecord<byte[], byte[]> record : tail.next()) {
        if (show(record, filter, out) && ++shown == end) {
          out.flush();
          return;
        }
      }
    }
  }

  private boolean show(ConsumerRecord<byte[], byte[]> record, TailFilter filter, PrintWriter out) {
    byte[] bytes = record.value();
    if (bytes == null) {
      return false;
    }
    Optional<JsonNode> read = read(bytes);
    if (read.isEmpty()) {
      CommandLines.tell(
          spec.commandLine().getErr(),
          record.topic()
              + " has no JSON object at offset "
              + record.offset()
              + " of partition "
              + record.partition());
      return false;
    }
    JsonNode value = read.get();
    if (!filter.wants(value)) {
      return false;
    }
    out.println(output.isJson() ? value.toString() : TailLine.of(value));
    return true;
  }

  private static Optional<JsonNode> read(byte[] bytes) {
    try {
      return Optional.of(JSON.readTree(new String(bytes, StandardCharsets.UTF_8)))
          .filter(JsonNode::isObject);
    } catch (JsonProcessingException unreadable) {
      return Optional.empty();
    }
  }
}
