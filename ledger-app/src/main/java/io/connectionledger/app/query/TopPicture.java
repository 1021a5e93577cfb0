package io.connectionledger.app.query;

import com.fasterxml.jackson.databind.JsonNode;
import io.connectionledger.app.client.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * All pools at one moment, for people. Pure.
 *
 * @param url the ledger that was asked
 * @param pools in the order of the ledger's answer
 */
record TopPicture(String url, List<PoolMoment> pools) {

  private static final int BAR = 20;
  private static final String SHORTEST_WINDOW = "5m";

  /**
   * One pool.
   *
   * @param connections the ledger's answer
   * @param rejections the ledger's answer
   * @param decisionsPerSecond since the last look; empty at the first
   */
  record PoolMoment(JsonNode connections, JsonNode rejections, OptionalDouble decisionsPerSecond) {

    private long active() {
      return connections.path("active").asLong();
    }

    private String rate() {
      return perSecond(decisionsPerSecond);
    }

    /** By reason, of the shortest window. */
    private String rejected() {
      List<String> reasons = new ArrayList<>();
      rejections
          .path("windows")
          .path(SHORTEST_WINDOW)
          .properties()
          .forEach(count -> reasons.add(count.getKey() + " " + count.getValue().asText()));
      return reasons.isEmpty() ? "none" : String.join(", ", reasons);
    }

    private String line() {
      return AnswerTables.connections(connections)
          + ", "
          + rate()
          + " decisions/s, rejected in "
          + SHORTEST_WINDOW
          + ": "
          + rejected();
    }
  }

  TopPicture {
    pools = List.copyOf(pools);
  }

  /** The picture for a terminal. */
  List<String> lines(int width) {
    List<String> lines = new ArrayList<>();
    OptionalDouble rate =
        pools.stream().allMatch(pool -> pool.decisionsPerSecond().isPresent())
            ? OptionalDouble.of(
                pools.stream().mapToDouble(pool -> pool.decisionsPerSecond().orElse(0)).sum())
            : OptionalDouble.empty();
    lines.add(
        "ledger "
            + url
            + "   "
            + AnswerTables.counted(pools.size(), "pool")
            + ", "
            + pools.stream().mapToLong(PoolMoment::active).sum()
            + " active, "
            + perSecond(rate)
            + " decisions/s");
    for (PoolMoment pool : pools) {
      lines.add("");
      lines.add(AnswerTables.connections(pool.connections()) + ", " + pool.rate() + " decisions/s");
      lines.add("  rejected in " + SHORTEST_WINDOW + ": " + pool.rejected());
      lines.addAll(table(pool.connections()).lines("  ", width));
    }
    return lines;
  }

  /** One line for each pool, where nothing can be drawn in place. */
  List<String> plainLines() {
    return pools.stream()
        .map(pool -> pool.connections().path("asOf").asText() + " " + pool.line())
        .toList();
  }

  private static Table table(JsonNode connections) {
    Table table =
        new Table()
            .text("POD")
            .number("ACTIVE")
            .number("RESERVED")
            .number("LIMIT")
            .text("")
            .text("STATE");
    for (JsonNode pod : connections.path("pods")) {
      long active = pod.path("active").asLong();
      long reserved = pod.path("reserved").asLong();
      long limit = pod.path("limit").asLong();
      table.row(
          pod.path("pod").asText(),
          active,
          reserved,
          limit,
          bar(active, reserved, limit),
          pod.path("state").asText());
    }
    return table;
  }

  /** Open, reserved and free slots to scale; what is there at all shows. */
  static String bar(long active, long reserved, long limit) {
    int opened = share(active, Math.max(limit, active + reserved));
    int held = Math.max(opened, share(active + reserved, Math.max(limit, active + reserved)));
    if (reserved > 0 && held == opened) {
      opened = Math.max(0, Math.min(opened, BAR - 1));
      held = opened + 1;
    }
    return "["
        + "#".repeat(opened)
        + "+".repeat(held - opened)
        + ".".repeat(BAR - held)
        + (active + reserved > limit ? "!" : "]");
  }

  private static int share(long count, long of) {
    return of == 0 ? 0 : (int) Math.min(BAR, Math.ceilDiv(count * BAR, of));
  }

  private static String perSecond(OptionalDouble rate) {
    return rate.isPresent() ? String.format(Locale.ROOT, "%.1f", rate.getAsDouble()) : "-";
  }
}
