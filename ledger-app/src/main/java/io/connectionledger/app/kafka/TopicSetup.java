package io.connectionledger.app.kafka;

import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.config.StartupException;
import io.connectionledger.model.Topics;
import io.connectionledger.streams.topology.LedgerStreams;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.DescribeConsumerGroupsOptions;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Waits for a cluster, visibly, and sees to it that the ledger's topics are there. Any number of
 * instances may do so at once.
 */
public final class TopicSetup {

  private static final Logger LOGGER = LoggerFactory.getLogger(TopicSetup.class);

  private static final Duration ATTEMPT = Duration.ofSeconds(5);

  /** Of a partition, at least. */
  private static final int SEGMENTS = 8;

  private final String bootstrapServers;
  private final LedgerConfig.Kafka config;
  private final Set<Role> roles;

  /**
   * Topics whose partitions may have no leaders yet: those that any attempt has created, and all of
   * a broker that has just started.
   */
  private final Set<Topics.Spec> awaited;

  /** Topics of Kafka Streams that are there. */
  private Set<String> changelogs = Set.of();

  private TopicSetup(String bootstrapServers, LedgerConfig.Kafka config, Set<Role> roles) {
    this.bootstrapServers = bootstrapServers;
    this.config = config;
    this.roles = roles;
    this.awaited = new HashSet<>(config.embedded() ? Topics.ALL : List.of());
  }

  /**
   * Creates the topics that are missing, and returns when their partitions have leaders; those that
   * exist are left as they are, but waited for, too, when the broker is the embedded one. It tries
   * for as long as the cluster cannot be reached, with a line in the log every 5 s.
   *
   * @param bootstrapServers the embedded broker's, or those of {@code config}
   * @param roles what the cluster must allow depends on them
   * @throws StartupException when a topic has another partition count, or settings with which
   *     records are lost or refused, or the cluster refuses or will refuse
   * @throws InterruptedException when told to stop
   */
  public static void ensure(String bootstrapServers, LedgerConfig.Kafka config, Set<Role> roles)
      throws InterruptedException {
    TopicSetup setup = new TopicSetup(bootstrapServers, config, roles);
    while (!setup.attempt()) {
      LOGGER
          .atWarn()
          .addKeyValue("bootstrap-servers", bootstrapServers)
          .log("Kafka is not reachable, retrying");
    }
  }

  /** Whether the cluster could be reached; takes {@link #ATTEMPT} when not. */
  private boolean attempt() throws InterruptedException {
    try {
      Admin admin = Admin.create(properties());
      try {
        ensure(admin);
      } finally {
        // All that was asked is answered or, when told to stop, of no interest any more.
        admin.close(Duration.ZERO);
      }
      return true;
    } catch (RetriableException unreachable) {
      return false;
    } catch (ApiException refused) {
      throw new StartupException(
          "Kafka at " + bootstrapServers + " refuses: " + refused.getMessage(), refused);
    } catch (KafkaException noClient) {
      waitForName(noClient);
      return false;
    }
  }

  private void ensure(Admin admin) throws InterruptedException {
    Set<String> missing = look(admin);
    // Looked at again after the creation: another instance may have been faster, with a count of
    // its own.
    while (!missing.isEmpty()) {
      create(admin, missing);
      missing = look(admin);
    }
    if (!awaited.isEmpty()) {
      awaitLeaders(admin);
    }
    judge(admin);
  }

  /** Somebody else may have made a topic, or changed it since. */
  private void judge(Admin admin) throws InterruptedException {
    List<String> topics = new ArrayList<>(Topics.ALL.stream().map(Topics.Spec::name).toList());
    topics.addAll(changelogs);
    Map<String, TopicDescription> described = get(admin.describeTopics(topics).allTopicNames());
    Map<String, Map<String, String>> settings;
    try {
      settings = settings(admin, topics);
    } catch (AuthorizationException denied) {
      LOGGER
          .atWarn()
          .addKeyValue("reason", denied.getMessage())
          .log("The settings of the topics may not be read, and are not checked");
      return;
    }
    for (Topics.Spec topic : Topics.ALL) {
      TopicCheck.findings(
              topic,
              replicas(described, topic.name()),
              config,
              Objects.requireNonNull(settings.get(topic.name())))
          .forEach(TopicSetup::say);
    }
    for (String topic : changelogs) {
      TopicCheck.ofChangelog(
              topic,
              replicas(described, topic),
              config.replication(),
              Objects.requireNonNull(settings.get(topic)))
          .forEach(TopicSetup::say);
    }
  }

  private static int replicas(Map<String, TopicDescription> described, String topic) {
    return Objects.requireNonNull(described.get(topic)).partitions().getFirst().replicas().size();
  }

  private static Map<String, Map<String, String>> settings(Admin admin, List<String> topics)
      throws InterruptedException {
    List<ConfigResource> resources =
        topics.stream().map(topic -> new ConfigResource(ConfigResource.Type.TOPIC, topic)).toList();
    Map<String, Map<String, String>> settings = new HashMap<>();
    get(admin.describeConfigs(resources).all())
        .forEach(
            (resource, of) -> {
              Map<String, String> values = new HashMap<>();
              of.entries().forEach(entry -> values.put(entry.name(), entry.value()));
              settings.put(resource.name(), values);
            });
    return settings;
  }

  private static void say(TopicCheck.Finding finding) {
    if (finding.isFatal()) {
      throw new StartupException(finding.toString());
    }
    LOGGER
        .atWarn()
        .addKeyValue("topic", finding.topic())
        .addKeyValue("setting", finding.setting())
        .addKeyValue("value", finding.value())
        .addKeyValue("allowed", finding.allowed())
        .log("A topic is set up otherwise than the ledger wants");
  }

  private Map<String, Object> properties() {
    Map<String, Object> properties = new HashMap<>(config.clientProperties());
    properties.put(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
    properties.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) ATTEMPT.toMillis());
    properties.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) ATTEMPT.toMillis());
    return properties;
  }

  /**
   * Refuses what the ledger could not be run with. It is asked for once, here: what is denied later
   * would show as records that do not come.
   *
   * @return the topics of ours that are missing
   */
  private Set<String> look(Admin admin) throws InterruptedException {
    Rights rights = new Rights(roles);
    Set<String> missing =
        absent(admin, Topics.ALL.stream().map(Topics.Spec::name).toList(), rights);
    // Nobody but the ledger has a say in the embedded broker.
    if (!config.embedded() && rights.ofTheTopology()) {
      Set<String> absent = absent(admin, LedgerStreams.CHANGELOGS, rights);
      changelogs = new HashSet<>(LedgerStreams.CHANGELOGS);
      changelogs.removeAll(absent);
      // Kafka Streams will make them.
      create(admin, absent.stream().map(this::creation).toList(), true, rights);
      group(admin, rights);
    }
    refuse(rights);
    return missing;
  }

  private void refuse(Rights rights) {
    if (!rights.missing().isEmpty()) {
      throw new StartupException(
          "Kafka at "
              + bootstrapServers
              + " does not allow "
              + String.join(", ", rights.missing())
              + ": allowed must be what docs/kafka.md lists for "
              + roles.stream().map(Role::label).sorted().collect(Collectors.joining(", ")));
    }
  }

  private Set<String> absent(Admin admin, List<String> topics, Rights rights)
      throws InterruptedException {
    Map<String, KafkaFuture<TopicDescription>> found =
        admin
            .describeTopics(topics, new DescribeTopicsOptions().includeAuthorizedOperations(true))
            .topicNameValues();
    Set<String> absent = new HashSet<>();
    for (String topic : topics) {
      try {
        TopicDescription description = get(Objects.requireNonNull(found.get(topic)));
        refuseOtherCount(topic, description.partitions().size());
        rights.topic(topic, description.authorizedOperations());
      } catch (UnknownTopicOrPartitionException none) {
        absent.add(topic);
      } catch (TopicAuthorizationException denied) {
        rights.hidden(topic);
      }
    }
    return absent;
  }

  private void group(Admin admin, Rights rights) throws InterruptedException {
    String group = LedgerStreams.APPLICATION_ID;
    try {
      rights.group(
          get(Objects.requireNonNull(
                  admin
                      .describeConsumerGroups(
                          List.of(group),
                          new DescribeConsumerGroupsOptions().includeAuthorizedOperations(true))
                      .describedGroups()
                      .get(group)))
              .authorizedOperations());
    } catch (GroupAuthorizationException denied) {
      rights.group(Set.of());
    } catch (GroupIdNotFoundException fresh) {
      LOGGER.atDebug().log("No instance has run yet: whether one may join is seen then");
    }
  }

  private void refuseOtherCount(String topic, int partitions) {
    if (partitions != config.partitions()) {
      throw new StartupException(
          "topic "
              + topic
              + " has "
              + partitions
              + " partitions, but kafka.partitions is "
              + config.partitions()
              + ": allowed is the number that the topics were created with");
    }
  }

  private void create(Admin admin, Set<String> names) throws InterruptedException {
    List<Topics.Spec> topics =
        Topics.ALL.stream().filter(topic -> names.contains(topic.name())).toList();
    awaited.addAll(topics);
    Rights rights = new Rights(roles);
    create(
        admin,
        topics.stream().map(topic -> creation(topic.name()).configs(configs(topic))).toList(),
        false,
        rights);
    refuse(rights);
  }

  private Map<String, String> configs(Topics.Spec topic) {
    Map<String, String> configs = new HashMap<>(topic.configs());
    configs.put(
        TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG, Integer.toString(config.minInSyncReplicas()));
    if (topic.isFilledByOthers()) {
      configs.put(TopicConfig.RETENTION_BYTES_CONFIG, Long.toString(config.retentionBytes()));
      // Whole segments are deleted: with Kafka's own of 1 GiB there would be twice as much.
      configs.put(
          TopicConfig.SEGMENT_BYTES_CONFIG,
          Long.toString(Math.min(1L << 30, config.retentionBytes() / SEGMENTS)));
    }
    return configs;
  }

  private NewTopic creation(String topic) {
    return new NewTopic(topic, config.partitions(), config.replication());
  }

  private void create(Admin admin, List<NewTopic> creations, boolean onlyAsk, Rights rights)
      throws InterruptedException {
    Map<String, KafkaFuture<Void>> created =
        admin.createTopics(creations, new CreateTopicsOptions().validateOnly(onlyAsk)).values();
    for (NewTopic creation : creations) {
      try {
        get(Objects.requireNonNull(created.get(creation.name())));
      } catch (TopicExistsException byAnother) {
        LOGGER.atDebug().log("Another instance created a topic first");
      } catch (TopicAuthorizationException denied) {
        rights.denied(AclOperation.CREATE, "topic " + creation.name());
      } catch (InvalidReplicationFactorException tooFew) {
        throw new StartupException(
            "kafka.replication is "
                + config.replication()
                + ": allowed is up to the number of brokers ("
                + tooFew.getMessage()
                + ")",
            tooFew);
      }
    }
  }

  /**
   * A topic is known before the brokers lead its partitions. What is produced meanwhile is refused
   * and sent again, and where a later batch was on its way already, the first is out of sequence.
   */
  private void awaitLeaders(Admin admin) throws InterruptedException {
    Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
    for (Topics.Spec topic : awaited) {
      for (int partition = 0; partition < config.partitions(); partition++) {
        ends.put(new TopicPartition(topic.name(), partition), OffsetSpec.latest());
      }
    }
    // Only a leader tells; the client asks until there is one.
    get(admin.listOffsets(ends).all());
  }

  /** A client is not even created when no name resolves, which in a cluster may come later. */
  private static void waitForName(KafkaException noClient) throws InterruptedException {
    Throwable cause = noClient.getCause() == null ? noClient : noClient.getCause();
    if (!String.valueOf(cause.getMessage()).contains("No resolvable bootstrap urls")) {
      throw new StartupException(
          "kafka.properties: allowed is what Kafka's clients take (" + cause.getMessage() + ")",
          noClient);
    }
    LockSupport.parkNanos(ATTEMPT.toNanos());
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
  }

  private static <T> T get(KafkaFuture<T> future) throws InterruptedException {
    try {
      return future.get();
    } catch (ExecutionException failed) {
      if (failed.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new KafkaException(failed);
    }
  }
}
