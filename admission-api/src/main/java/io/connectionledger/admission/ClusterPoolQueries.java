package io.connectionledger.admission;

import com.fasterxml.jackson.core.type.TypeReference;
import io.connectionledger.model.Affinity;
import io.connectionledger.model.Decision;
import io.connectionledger.model.PoolPolicy.OnOwnerLoss;
import io.connectionledger.model.PoolReadiness;
import io.connectionledger.model.PoolRejections;
import io.connectionledger.model.PoolReport;
import io.connectionledger.model.PoolView;
import io.connectionledger.streams.Ledger;
import io.grpc.MethodDescriptor;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The ledger for the query API: what another instance owns is asked there, which may take some
 * seconds. Everything else is the local ledger's. Thread-safe.
 */
final class ClusterPoolQueries implements Ledger {

  private final Ledger local;
  private final GrpcPeers peers;

  ClusterPoolQueries(Ledger local, GrpcPeers peers) {
    this.local = local;
    this.peers = peers;
  }

  @Override
  public Optional<PoolView> connections(String pool) {
    return ask(pool, local::connections, PeerProtocol.CONNECTIONS, new TypeReference<>() {});
  }

  @Override
  public Optional<PoolReadiness> readiness(String pool) {
    return ask(pool, local::readiness, PeerProtocol.READINESS, new TypeReference<>() {});
  }

  @Override
  public Optional<PoolRejections> rejections(String pool) {
    return ask(pool, local::rejections, PeerProtocol.REJECTIONS, new TypeReference<>() {});
  }

  @Override
  public void watch(Watcher watcher) {
    local.watch(watcher);
  }

  @Override
  public Optional<PoolReport> report(String pool) {
    return ask(pool, local::report, PeerProtocol.REPORT, new TypeReference<>() {});
  }

  @Override
  public Optional<PoolReport> standby(String pool) {
    return local.standby(pool).or(() -> standbyElsewhere(pool));
  }

  private Optional<PoolReport> standbyElsewhere(String pool) {
    if (!local.pools().contains(pool)) {
      return Optional.empty();
    }
    Owner owner = local.owner(pool);
    return others().stream()
        .filter(
            address -> !(owner instanceof Owner.Other silent && silent.address().equals(address)))
        .flatMap(
            address ->
                peers
                    .query(address, PeerProtocol.STANDBY, pool, new TypeReference<PoolReport>() {})
                    .stream())
        .findFirst();
  }

  @Override
  public Set<String> others() {
    return local.others();
  }

  /** The owner first: what this instance has of a pool that it owned until now may be stale. */
  private <T> Optional<T> ask(
      String pool,
      Function<String, Optional<T>> here,
      MethodDescriptor<byte[], byte[]> there,
      TypeReference<T> type) {
    return local.owner(pool) instanceof Owner.Other other
        ? peers.query(other.address(), there, pool, type).or(() -> here.apply(pool))
        : here.apply(pool);
  }

  @Override
  public Decision decide(String pool, @Nullable String key, @Nullable String listener) {
    return local.decide(pool, key, listener);
  }

  @Override
  public @Nullable String poolOf(String authority, String path) {
    return local.poolOf(authority, path);
  }

  @Override
  public Duration maxUnseen() {
    return local.maxUnseen();
  }

  @Override
  public boolean reservesHeadroom(String pool) {
    return local.reservesHeadroom(pool);
  }

  @Override
  public Affinity affinity(String pool) {
    return local.affinity(pool);
  }

  @Override
  public Owner owner(String pool) {
    return local.owner(pool);
  }

  @Override
  public void disowned(String pool, Owner.Other owner) {
    local.disowned(pool, owner);
  }

  @Override
  public void unreachable(String pool, Owner.Other owner) {
    local.unreachable(pool, owner);
  }

  @Override
  public Loans loans() {
    return local.loans();
  }

  @Override
  public OnOwnerLoss onOwnerLoss(String pool) {
    return local.onOwnerLoss(pool);
  }

  @Override
  public void release(Decision.Allowed reservation) {
    local.release(reservation);
  }

  @Override
  public Set<String> pools() {
    return local.pools();
  }

  @Override
  public boolean ready() {
    return local.ready();
  }

  @Override
  public String status() {
    return local.status();
  }
}
