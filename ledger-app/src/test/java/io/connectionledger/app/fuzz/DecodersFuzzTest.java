package io.connectionledger.app.fuzz;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.google.protobuf.InvalidProtocolBufferException;
import io.connectionledger.admission.http.view.InvalidParameterException;
import io.connectionledger.admission.http.view.Paging;
import io.connectionledger.app.config.ConfigException;
import io.connectionledger.app.config.PolicyFile;
import io.connectionledger.ingest.translate.AccessLogTranslator;
import io.connectionledger.ingest.translate.ReadableLogs;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.UnreadableRecordException;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.LedgerRecord;
import io.connectionledger.model.event.RecordCodec;
import io.connectionledger.model.policy.DurationText;
import io.connectionledger.model.policy.InvalidPolicyException;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PolicyCodec;
import io.connectionledger.model.policy.PoolIndex;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.streams.ownership.PoolShard;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.state.Changes;
import io.connectionledger.streams.rules.state.StoredCircuitBreaker;
import io.connectionledger.streams.rules.state.StoredConnection;
import io.connectionledger.streams.store.StoreCodec;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPAccessLogEntry;
import io.grpc.StatusRuntimeException;
import java.io.ByteArrayInputStream;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Every decoder, from bytes that anybody may have written down to the rules: it reads them or
 * refuses them in its own words, and throws nothing else. In a build each runs on its corpus alone;
 * CONTRIBUTING.md has the command that looks for more.
 */
class DecodersFuzzTest {

  private static final String POOL = "chat";
  private static final long NOW_MS = 1_800_000_000_000L;
  private static final PodAddress POD = PodAddress.parse("10.0.0.1:80");
  private static final PoolPolicy POLICY =
      new PoolPolicy(
          POOL,
          5,
          5,
          3,
          PoolPolicy.Mode.ENFORCE,
          PoolPolicy.OnOwnerLoss.SHARE,
          List.of(new Pod("pod-1", POD)));

  private static PoolShard shard() {
    PoolShard shard =
        new PoolShard(
            List.of(POLICY),
            new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15)),
            NOW_MS);
    shard.caughtUp();
    return shard;
  }

  /** What follows must still be decided and shown. */
  private static void goOn(PoolShard shard) {
    Object decided = shard.decide(POOL, NOW_MS * 1_000_000);
    Object view = shard.view(POOL, NOW_MS);
    Object readiness = shard.readiness(POOL, NOW_MS);
    if (decided == null || view.equals(Optional.empty()) || readiness.equals(Optional.empty())) {
      throw new IllegalStateException("the pool is gone");
    }
  }

  @FuzzTest(maxDuration = "1m")
  void accessLog(byte[] bytes) {
    try {
      ReadableLogs.Received received =
          ReadableLogs.MARSHALLER.parse(new ByteArrayInputStream(bytes));
      AccessLogTranslator translator =
          new AccessLogTranslator("envoy-1", () -> PoolIndex.of(List.of(POLICY)));
      for (HTTPAccessLogEntry entry : received.message().getHttpLogs().getLogEntryList()) {
        Object unused = translator.translate(entry, NOW_MS);
      }
    } catch (StatusRuntimeException refused) {
      expected(refused);
    }
  }

  @FuzzTest(maxDuration = "1m")
  void accessLogEntry(byte[] bytes) {
    try {
      Object unused =
          new AccessLogTranslator("envoy-1", () -> PoolIndex.of(List.of(POLICY)))
              .translate(HTTPAccessLogEntry.parseFrom(bytes), NOW_MS);
    } catch (InvalidProtocolBufferException refused) {
      expected(refused);
    }
  }

  @FuzzTest(maxDuration = "1m")
  void connectionEvent(byte[] json) {
    try {
      apply(RecordCodec.decodeEvent(json));
    } catch (UnreadableRecordException refused) {
      expected(refused);
    }
  }

  @FuzzTest(maxDuration = "1m")
  void decision(byte[] json) {
    try {
      apply(RecordCodec.decodeDecision(json));
    } catch (UnreadableRecordException refused) {
      expected(refused);
    }
  }

  private static void apply(LedgerRecord record) throws UnreadableRecordException {
    PoolShard shard = shard();
    boolean unused = shard.apply(record, new Changes());
    unused = shard.apply(record, new Changes());
    goOn(shard);
    if (record instanceof Decision) {
      Object unusedAgain = RecordCodec.decodeDecision(RecordCodec.encode(record));
    } else {
      Object unusedAgain = RecordCodec.decodeEvent(RecordCodec.encode(record));
    }
  }

  @FuzzTest(maxDuration = "1m")
  void presence(byte[] json) {
    try {
      PoolShard shard = shard();
      Object unused = shard.heard(RecordCodec.decodePresence(json), NOW_MS);
      unused = shard.heard(RecordCodec.decodePresence(json), NOW_MS + 1_000);
      goOn(shard);
    } catch (UnreadableRecordException refused) {
      expected(refused);
    }
  }

  @FuzzTest(maxDuration = "1m")
  void otherRecords(byte[] json) {
    try {
      Object unused = RecordCodec.decodeBeat(json);
    } catch (UnreadableRecordException refused) {
      expected(refused);
    }
    try {
      Object unused = RecordCodec.decodeEndpoints(json);
    } catch (UnreadableRecordException refused) {
      expected(refused);
    }
    try {
      Object unused = PolicyCodec.encode(PolicyCodec.decode(json));
    } catch (UnreadableRecordException refused) {
      expected(refused);
    }
  }

  @FuzzTest(maxDuration = "1m")
  void storeBytes(byte[] bytes) {
    PoolShard shard = shard();
    StoredConnection connection = StoreCodec.connection(bytes);
    if (connection != null) {
      boolean unused = shard.restore(POOL, "c1", connection);
    }
    StoredCircuitBreaker circuit = StoreCodec.circuit(bytes);
    if (circuit != null) {
      boolean unused = shard.restoreCircuit(POOL, POD, circuit);
    }
    Long interval = StoreCodec.interval(bytes);
    if (interval != null) {
      boolean unused = shard.restoreInterval(POOL, "envoy-1", interval);
    }
    Long bucket = StoreCodec.bucket(bytes);
    if (bucket != null) {
      boolean unused = shard.restoreBucket(POOL, bucket);
    }
    Object unusedTally = StoreCodec.tally(bytes);
    goOn(shard);
  }

  @FuzzTest(maxDuration = "1m")
  void policyJson(byte[] json) {
    try {
      Object unused = PolicyCodec.changed(POLICY, json, Set.of());
    } catch (InvalidPolicyException refused) {
      expected(refused);
    }
  }

  @FuzzTest(maxDuration = "1m")
  void policyYaml(byte[] yaml) {
    try {
      Object unused = PolicyFile.parse(new String(yaml, UTF_8), "pools.yaml");
    } catch (ConfigException refused) {
      expected(refused);
    }
  }

  @FuzzTest(maxDuration = "1m")
  void queryParameters(byte[] bytes) {
    String text = new String(bytes, UTF_8);
    try {
      Object unused = Paging.of(text, text);
    } catch (InvalidParameterException refused) {
      expected(refused);
    }
    try {
      Object unused = DurationText.parse(text);
    } catch (IllegalArgumentException refused) {
      expected(refused);
    }
    Object unused = PodAddress.find(text);
  }

  /** Its one line. */
  private static void expected(Exception refused) {
    String message = String.valueOf(refused.getMessage());
    if (message.lines().count() > 1) {
      throw new IllegalStateException("more than one line: " + message, refused);
    }
  }
}
