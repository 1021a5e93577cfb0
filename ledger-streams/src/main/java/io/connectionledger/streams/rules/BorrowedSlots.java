package io.connectionledger.streams.rules;

import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.Loan;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The slots that the owner of one pool has lent this instance. Each is reserved with the owner and
 * with whoever succeeds it until some time after it may be used here for the last time, so to admit
 * with one is never one too many, whoever owns the pool by then. Not thread-safe.
 */
public final class BorrowedSlots {

  /** How long a pool is without an owner that died, with Kafka's session timeout of 6 s. */
  static final Duration WITHOUT_OWNER = Duration.ofSeconds(8);

  /** Far enough back, and near enough to be subtracted from any time. */
  private static final long LONG_AGO = Long.MIN_VALUE / 2;

  private final Map<String, Slot> slots = new LinkedHashMap<>();
  private long nextNanos = LONG_AGO;

  /** Until when what is there is to last; in the past while nothing is spent. */
  private long lastsUntilNanos = LONG_AGO;

  private record Slot(Decision.Allowed decision, long untilNanos) {}

  /** The ids of what may be used now. */
  public List<String> ids(long nowNanos) {
    return slots.entrySet().stream()
        .filter(slot -> slot.getValue().untilNanos > nowNanos)
        .map(Map.Entry::getKey)
        .toList();
  }

  /**
   * Takes the owner's answer, however late it comes.
   *
   * @param asked the ids that the owner was asked to leave here
   * @param askedNanos before the owner was asked
   * @return what is not used here any more and may be given back
   */
  public List<Decision.Allowed> take(
      List<String> asked, Loan loan, long askedNanos, long nowNanos) {
    long untilNanos = askedNanos + Loan.TERM.toNanos();
    List<Decision.Allowed> back = new ArrayList<>();
    for (String id : asked) {
      Slot slot = slots.get(id);
      if (slot != null && loan.kept().contains(id)) {
        slots.put(id, new Slot(slot.decision, Math.max(slot.untilNanos, untilNanos)));
      } else if (slot != null) {
        slots.remove(id);
        back.add(slot.decision);
      }
    }
    loan.added().forEach(added -> slots.put(added.id(), new Slot(added, untilNanos)));
    back.addAll(expired(nowNanos));
    return back;
  }

  private List<Decision.Allowed> expired(long nowNanos) {
    List<Decision.Allowed> expired = new ArrayList<>();
    for (Iterator<Slot> each = slots.values().iterator(); each.hasNext(); ) {
      Slot slot = each.next();
      if (slot.untilNanos <= nowNanos) {
        each.remove();
        expired.add(slot.decision);
      }
    }
    return expired;
  }

  /**
   * Uses a slot while nobody is known to own the pool; what is there is spread over {@link
   * #WITHOUT_OWNER}, and what is left then over the time for which it may be used.
   *
   * @return null when there is none, or it is not time for the next one
   */
  public Decision.@Nullable Allowed spend(long nowNanos) {
    expired(nowNanos);
    if (slots.isEmpty() || nowNanos < nextNanos) {
      return null;
    }
    long lastNanos = slots.values().stream().mapToLong(Slot::untilNanos).max().orElseThrow();
    if (nowNanos - nextNanos > WITHOUT_OWNER.toNanos()) {
      lastsUntilNanos = nowNanos + WITHOUT_OWNER.toNanos();
    }
    long untilNanos = lastsUntilNanos > nowNanos ? Math.min(lastsUntilNanos, lastNanos) : lastNanos;
    nextNanos = nowNanos + (untilNanos - nowNanos) / slots.size();
    return first(nowNanos);
  }

  /**
   * Uses a slot because the owner says that there is no room but what it has lent; null for none.
   */
  public Decision.@Nullable Allowed spendAsRoom(long nowNanos) {
    expired(nowNanos);
    return slots.isEmpty() ? null : first(nowNanos);
  }

  private Decision.Allowed first(long nowNanos) {
    Iterator<Slot> each = slots.values().iterator();
    Decision.Allowed lent = each.next().decision;
    each.remove();
    return new Decision.Allowed(
        lent.pool(),
        lent.id(),
        lent.pod(),
        lent.bucketNanos(),
        nowNanos / 1_000_000,
        lent.mode(),
        lent.basis(),
        lent.listener());
  }
}
