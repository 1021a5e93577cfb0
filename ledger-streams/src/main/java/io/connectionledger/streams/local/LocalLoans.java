package io.connectionledger.streams.local;

import io.connectionledger.model.Ticker;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.Loan;
import io.connectionledger.streams.Loans;
import io.connectionledger.streams.ownership.PoolShard;
import io.connectionledger.streams.rules.BorrowedSlots;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What this instance lends of its own pools, and has borrowed of others'. Thread-safe. */
final class LocalLoans implements Loans {

  private final Function<String, Optional<PoolShard>> shards;
  private final Ticker ticker;
  private final Map<String, BorrowedSlots> borrowedByPool = new ConcurrentHashMap<>();

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
    BorrowedSlots borrowed = borrowedByPool.get(pool);
    if (borrowed == null) {
      return List.of();
    }
    synchronized (borrowed) {
      return borrowed.ids(ticker.nowNanos());
    }
  }

  @Override
  public List<Decision.Allowed> take(String pool, List<String> asked, Loan loan, long askedNanos) {
    BorrowedSlots borrowed = borrowedByPool.computeIfAbsent(pool, none -> new BorrowedSlots());
    synchronized (borrowed) {
      return borrowed.take(asked, loan, askedNanos, ticker.nowNanos());
    }
  }

  @Override
  public Decision.@Nullable Allowed spend(String pool) {
    BorrowedSlots borrowed = borrowedByPool.get(pool);
    if (borrowed == null) {
      return null;
    }
    synchronized (borrowed) {
      return borrowed.spend(ticker.nowNanos());
    }
  }

  @Override
  public Decision.@Nullable Allowed spendAsRoom(String pool) {
    BorrowedSlots borrowed = borrowedByPool.get(pool);
    if (borrowed == null) {
      return null;
    }
    synchronized (borrowed) {
      return borrowed.spendAsRoom(ticker.nowNanos());
    }
  }
}
