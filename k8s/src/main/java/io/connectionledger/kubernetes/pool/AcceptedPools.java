package io.connectionledger.kubernetes.pool;

import io.connectionledger.kubernetes.pool.Verdict.Reason;
import io.connectionledger.model.policy.InvalidPolicyException;
import io.connectionledger.model.policy.PoolIndex;
import io.connectionledger.model.policy.PoolPolicy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which ConnectionPools the ledger goes by. What is in force stays so when the resource changes
 * into something that is refused, and nobody takes from it what it claims; of several that claim
 * the same, the one that is accepted in its status has it, then the oldest: so all instances, and
 * one that has just started, come to the same. Pools of the configuration come before all of them.
 *
 * <p>Pure; not thread-safe.
 */
final class AcceptedPools {

  /** Accepted ones first, as their status says, then older ones. */
  private static final Comparator<ConnectionPool> FIRST =
      Comparator.comparing(AcceptedPools::isSettled)
          .reversed()
          .thenComparing(pool -> Objects.toString(pool.getMetadata().getCreationTimestamp(), ""))
          .thenComparing(ConnectionPool::pool);

  /** By pool. */
  private Map<String, Held> inForce = new HashMap<>();

  /** A spec that is in force. */
  private record Held(@Nullable String uid, long generation, PoolResource resource) {

    static Held of(ConnectionPool resource, PoolResource spec) {
      return new Held(resource.getMetadata().getUid(), resource.generation(), spec);
    }

    boolean isOf(@Nullable ConnectionPool resource) {
      return resource != null && Objects.equals(uid, resource.getMetadata().getUid());
    }
  }

  /** One that is to come into force, if nothing speaks against it. */
  private record Candidate(ConnectionPool resource, Held held) {

    PoolPolicy policy() {
      return held.resource.policy();
    }
  }

  private static boolean isSettled(ConnectionPool resource) {
    ConnectionPoolStatus status = resource.getStatus();
    return status != null
        && status
            .condition(StatusRule.ACCEPTED)
            .filter(
                accepted ->
                    StatusRule.TRUE.equals(accepted.getStatus())
                        && Objects.equals(accepted.getObservedGeneration(), resource.generation()))
            .isPresent();
  }

  /**
   * Judges the resources that there are.
   *
   * @param configured pools that are not theirs
   * @return the verdict about each, by pool, in alphabetical order
   */
  Map<String, Verdict> judge(
      Collection<ConnectionPool> resources, Collection<PoolPolicy> configured) {
    Map<String, ConnectionPool> byPool = new TreeMap<>();
    resources.forEach(resource -> byPool.put(resource.pool(), resource));
    Map<String, PoolPolicy> policies = new TreeMap<>();
    configured.forEach(policy -> policies.put(policy.pool(), policy));
    Map<String, Verdict> refused = new HashMap<>();

    List<Candidate> staying = new ArrayList<>();
    inForce.forEach(
        (pool, held) -> {
          ConnectionPool resource = byPool.get(pool);
          if (resource != null && held.isOf(resource)) {
            staying.add(new Candidate(resource, held));
          }
        });
    inForce = new HashMap<>();
    admit(staying, policies, refused);
    admit(changed(byPool.values(), refused), policies, refused);

    Map<String, Verdict> verdicts = new TreeMap<>();
    byPool.forEach((pool, resource) -> verdicts.put(pool, verdict(resource, refused.get(pool))));
    return verdicts;
  }

  /** Those whose present spec is not in force, read. */
  private List<Candidate> changed(
      Collection<ConnectionPool> resources, Map<String, Verdict> refused) {
    List<Candidate> changed = new ArrayList<>();
    for (ConnectionPool resource : resources.stream().sorted(FIRST).toList()) {
      Held held = inForce.get(resource.pool());
      if (held == null || held.generation != resource.generation()) {
        try {
          changed.add(new Candidate(resource, Held.of(resource, PoolResource.of(resource))));
        } catch (InvalidPolicyException wrong) {
          refuse(resource, Reason.INVALID, PoolResource.line(wrong), refused);
        } catch (IllegalArgumentException wrongName) {
          refuse(resource, Reason.INVALID, String.valueOf(wrongName.getMessage()), refused);
        }
      }
    }
    return changed;
  }

  /** Brings into force what conflicts with nothing, in this order. */
  private void admit(
      List<Candidate> candidates, Map<String, PoolPolicy> policies, Map<String, Verdict> refused) {
    List<Candidate> left = new ArrayList<>();
    Map<String, PoolPolicy> all = new TreeMap<>(policies);
    for (Candidate candidate : candidates) {
      String pool = candidate.resource.pool();
      if (policies.containsKey(pool) && !inForce.containsKey(pool)) {
        refuse(
            candidate.resource,
            Reason.CONFLICTED,
            "metadata.name: the configuration has pool '" + pool + "', too",
            refused);
      } else {
        left.add(candidate);
        all.put(pool, candidate.policy());
      }
    }
    if (PoolIndex.conflict(all.values()).isEmpty()) {
      left.forEach(candidate -> bring(candidate, policies, refused));
      return;
    }
    // One that comes into force may let go of what another waits for.
    boolean again = true;
    while (again) {
      again = false;
      for (Iterator<Candidate> each = left.iterator(); each.hasNext(); ) {
        Candidate candidate = each.next();
        if (admit(candidate, policies, refused)) {
          each.remove();
          again = true;
        }
      }
    }
  }

  private boolean admit(
      Candidate candidate, Map<String, PoolPolicy> policies, Map<String, Verdict> refused) {
    String pool = candidate.resource.pool();
    Map<String, PoolPolicy> with = new TreeMap<>(policies);
    with.put(pool, candidate.policy());
    PoolIndex.Conflict conflict = PoolIndex.conflict(with.values()).orElse(null);
    if (conflict == null) {
      bring(candidate, policies, refused);
      return true;
    }
    refuse(
        candidate.resource,
        Reason.CONFLICTED,
        "spec."
            + conflict.key()
            + " has '"
            + conflict.value()
            + "': allowed is "
            + conflict.allowed(pool),
        refused);
    return false;
  }

  private void bring(
      Candidate candidate, Map<String, PoolPolicy> policies, Map<String, Verdict> refused) {
    String pool = candidate.resource.pool();
    inForce.put(pool, candidate.held);
    policies.put(pool, candidate.policy());
    refused.remove(pool);
  }

  private static void refuse(
      ConnectionPool resource, Reason reason, String message, Map<String, Verdict> refused) {
    refused.put(resource.pool(), new Verdict(reason, message, null));
  }

  private Verdict verdict(ConnectionPool resource, @Nullable Verdict refusal) {
    Held held = inForce.get(resource.pool());
    PoolResource spec = held == null ? null : held.resource;
    return refusal == null
        ? new Verdict(Reason.ACCEPTED, "The ledger goes by this spec", spec)
        : new Verdict(refusal.reason(), refusal.message(), spec);
  }
}
