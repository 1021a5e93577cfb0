package io.connectionledger.app.query;

import io.connectionledger.app.cli.FailedException;
import io.connectionledger.app.client.LedgerApi;
import io.connectionledger.app.client.ServerOption;
import io.connectionledger.app.client.Watch;
import io.connectionledger.app.query.TopPicture.PoolMoment;
import io.connectionledger.model.Ticker;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code ledger top}: all pools, live. */
@Command(
    name = "top",
    description = "All pools, live: connections of each pod, rejections, decisions a second.",
    footer = {
      "",
      "In a bar, # is an open connection, + a reserved one, . room, and ! at its end means over the",
      "limit. Decisions a second are those of the instance that is asked."
    })
public final class TopCommand implements Callable<Integer> {

  private static final String DECISIONS = "websocket_connections_attempted_total";
  private static final double NANOS_PER_SECOND = 1e9;

  private final Ticker ticker = Ticker.system();

  @Spec private CommandSpec spec;
  @Mixin private ServerOption server = new ServerOption();
  @Mixin private Watch watch = new Watch();

  @SuppressWarnings("NullAway.Init") // picocli sets spec
  public TopCommand() {}

  @Override
  public Integer call() throws FailedException, InterruptedException {
    LedgerApi api = server.connect();
    Rates rates = new Rates();
    return watch.run(
        spec.commandLine().getOut(),
        spec.commandLine().getErr(),
        true,
        terminal -> {
          TopPicture picture = look(api, rates);
          return terminal.isPresent()
              ? picture.lines(terminal.get().columns())
              : picture.plainLines();
        });
  }

  private TopPicture look(LedgerApi api, Rates rates) throws FailedException {
    List<PoolMoment> pools = new ArrayList<>();
    rates.next(Samples.of(api.text("/metrics"), DECISIONS), ticker.nowNanos());
    for (String pool : api.pools()) {
      pools.add(
          new PoolMoment(
              api.whole(LedgerApi.ofPool(pool, "connections"), "pods"),
              api.get(LedgerApi.ofPool(pool, "rejections")).json(),
              rates.of(pool)));
    }
    return new TopPicture(api.url(), pools);
  }

  /** What a counter gains from one look to the next. */
  private static final class Rates {

    private Samples last = Samples.of("", DECISIONS);
    private Samples now = last;
    private double seconds;
    private long atNanos;
    private boolean first = true;

    void next(Samples samples, long nowNanos) {
      first = atNanos == 0;
      seconds = (nowNanos - atNanos) / NANOS_PER_SECOND;
      atNanos = nowNanos;
      last = now;
      now = samples;
    }

    /** A counter that fell began again, so that all of it is new. */
    OptionalDouble of(String pool) {
      double gained = now.of(pool) - last.of(pool);
      return first
          ? OptionalDouble.empty()
          : OptionalDouble.of((gained < 0 ? now.of(pool) : gained) / seconds);
    }
  }
}
