package io.connectionledger.streams.topology;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
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

  private record Json(String pool, @JsonUnwrapped PodView counts, long atMs) {}

  private PodRecords() {}

  /** The record for one pod; a null value, which compaction removes, once it is gone and empty. */
  static Record<String, byte[]> of(String pool, PodView pod, long nowMs) {
    boolean forgotten = pod.state() == State.GONE && pod.active() + pod.reserved() == 0;
    return new Record<>(pool + '|' + pod.pod(), forgotten ? null : json(pool, pod, nowMs), nowMs);
  }

  private static byte[] json(String pool, PodView pod, long nowMs) {
    try {
      return WRITER.writeValueAsBytes(new Json(pool, pod, nowMs));
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException("plain values always encode", impossible);
    }
  }
}
