package io.connectionledger.app.history;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** A pool for people, and for programs in the words of the query API. */
final class PoolText {

  private PoolText() {}

  static List<String> lines(PoolView view) {
    List<String> lines = new ArrayList<>();
    lines.add(
        view.pool()
            + ": "
            + view.active()
            + " active, "
            + view.reserved()
            + " reserved at "
            + Instant.ofEpochMilli(view.asOfMs()));
    int name = widest("POD", view.pods().stream().map(PodView::pod));
    int address = widest("ADDRESS", view.pods().stream().map(pod -> pod.address().toString()));
    lines.add(
        padded("POD", name) + padded("ADDRESS", address) + "   ACTIVE  RESERVED     LIMIT  STATE");
    for (PodView pod : view.pods()) {
      lines.add(
          padded(pod.pod(), name)
              + padded(pod.address().toString(), address)
              + String.format(
                  Locale.ROOT,
                  "%9d %9d %9d  %s",
                  pod.active(),
                  pod.reserved(),
                  pod.limit(),
                  pod.state().label()));
    }
    return lines;
  }

  private static int widest(String title, Stream<String> cells) {
    return Stream.concat(Stream.of(title), cells).mapToInt(String::length).max().orElse(0);
  }

  private static String padded(String cell, int width) {
    return "  " + cell + " ".repeat(width - cell.length());
  }

  /** As {@code GET /v1/pools/{pool}/connections} answers. */
  static ObjectNode json(PoolView view) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("pool", view.pool());
    json.put("asOf", Instant.ofEpochMilli(view.asOfMs()).toString());
    json.put("mode", view.mode().label());
    json.put("active", view.active());
    json.put("reserved", view.reserved());
    json.put("unreported", view.unreported());
    json.put("unleased", view.unleased());
    var pods = json.putArray("pods");
    for (PodView pod : view.pods()) {
      pods.addObject()
          .put("pod", pod.pod())
          .put("address", pod.address().toString())
          .put("active", pod.active())
          .put("reserved", pod.reserved())
          .put("limit", pod.limit())
          .put("state", pod.state().label())
          .put("overLimit", pod.isOverLimit());
    }
    return json;
  }
}
