package io.connectionledger.streams.topology;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.connectionledger.model.Topics;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.model.view.PoolView.State;
import org.apache.kafka.streams.processor.api.Record;

/** Makes the values of {@link Topics#PODS}; the schema is docs/events/pods.schema.json. */
final class PodRecords {

  private static final ObjectWriter WRITER = JsonMapper.builder().build().writerFor(Json.class);

  private record Json(
      String pool,
      String pod,
      String address,
      int active,
      int reserved,
      int limit,
      String state,
      long atMs) {}

  private PodRecords() {}

  /** The record for one pod; a null value, which compaction removes, once it is gone and empty. */
  static Record<String, byte[]> of(String pool, PodView pod, long nowMs) {
    boolean forgotten = pod.state() == State.GONE && pod.active() + pod.reserved() == 0;
    return new Record<>(
        pool + '|' + pod.pod(), forgotten ? null : json(pool, pod, nowMs).getBytes(UTF_8), nowMs);
  }

  private static String json(String pool, PodView pod, long nowMs) {
    try {
      return WRITER.writeValueAsString(
          new Json(
              pool,
              pod.pod(),
              pod.address().toString(),
              pod.active(),
              pod.reserved(),
              pod.limit(),
              pod.state().label(),
              nowMs));
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException("plain values always encode", impossible);
    }
  }
}
