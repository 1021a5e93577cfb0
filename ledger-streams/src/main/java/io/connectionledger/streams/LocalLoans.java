package io.connectionledger.streams;

import io.connectionledger.model.Decision;
import io.connectionledger.model.Loan;
import io.connectionledger.model.Ticker;
import io.connectionledger.streams.rules.Purse;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What this instance lends of its own pools, and has borrowed of others'. Thread-safe. */
final class LocalLoans implements Ledger.Loans {

  private final Function<String, Optional<PoolShard>> shards;
  private final Ticker ticker;
  private final Map<String, Purse> purses = new ConcurrentHashMap<>();

  /**
   * Nothing borrowed.
   *
   * @param shards of the pools that this instance owns
   */
  LocalLoans(Function<String, Optional<PoolShard>> shards, Ticker ticker) {
    this.shards = shards;
    this.ticker = ticker;
  }

  @Override
  public Optional<Loan> lend(String pool, List<String> held, int borrowers) {
    return shards
        .apply(pool)
        .flatMap(
            shard -> Optional.ofNullable(shard.lend(pool, held, borrowers, ticker.nowNanos())));
  }

  @Override
  public List<String> borrowed(String pool) {
    Purse purse = purses.get(pool);
    if (purse == null) {
      return List.of();
    }
    synchronized (purse) {
      return purse.ids(ticker.nowNanos());
    }
  }

  @Override
  public List<Decision.Allowed> take(String pool, List<String> asked, Loan loan, long askedNanos) {
    Purse purse = purses.computeIfAbsent(pool, none -> new Purse());
    synchronized (purse) {
      return purse.take(asked, loan, askedNanos, ticker.nowNanos());
    }
  }

  @Override
  public Decision.@Nullable Allowed spend(String pool) {
    Purse purse = purses.get(pool);
    if (purse == null) {
      return null;
    }
    synchronized (purse) {
      return purse.spend(ticker.nowNanos());
    }
  }

  @Override
  public Decision.@Nullable Allowed spendAsRoom(String pool) {
    Purse purse = purses.get(pool);
    if (purse == null) {
      return null;
    }
    synchronized (purse) {
      return purse.spendAsRoom(ticker.nowNanos());
    }
  }
}
