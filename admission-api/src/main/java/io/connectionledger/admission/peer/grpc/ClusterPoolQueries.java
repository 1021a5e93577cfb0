package io.connectionledger.admission.peer.grpc;

import com.fasterxml.jackson.core.type.TypeReference;
import io.connectionledger.admission.peer.proto.PeerGrpc;
import io.connectionledger.admission.peer.proto.PoolRequest;
import io.connectionledger.admission.peer.proto.PoolResponse;
import io.connectionledger.model.view.PoolHistory;
import io.connectionledger.model.view.PoolReadiness;
import io.connectionledger.model.view.PoolRejections;
import io.connectionledger.model.view.PoolReport;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.streams.Owner;
import io.connectionledger.streams.PoolQueries;
import io.connectionledger.streams.PoolRouting;
import io.grpc.MethodDescriptor;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;

/**
 * The ledger for the query API: what another instance owns is asked there, which may take some
 * seconds. Everything else is the local ledger's. Thread-safe.
 */
public final class ClusterPoolQueries implements PoolQueries {

  private final PoolQueries local;
  private final PoolRouting routing;
  private final GrpcPeers peers;

  public ClusterPoolQueries(PoolQueries local, PoolRouting routing, GrpcPeers peers) {
    this.routing = routing;
    this.local = local;
    this.peers = peers;
  }

  @Override
  public Optional<PoolView> connections(String pool) {
    return ask(pool, local::connections, PeerGrpc.getConnectionsMethod(), new TypeReference<>() {});
  }

  @Override
  public Optional<PoolReadiness> readiness(String pool) {
    return ask(pool, local::readiness, PeerGrpc.getReadinessMethod(), new TypeReference<>() {});
  }

  @Override
  public Optional<PoolRejections> rejections(String pool) {
    return ask(pool, local::rejections, PeerGrpc.getRejectionsMethod(), new TypeReference<>() {});
  }

  @Override
  public Optional<PoolHistory> history(String pool) {
    return ask(pool, local::history, PeerGrpc.getHistoryMethod(), new TypeReference<>() {});
  }

  /** The local ledger's: whoever has the view is the owner. */
  @Override
  public OptionalInt desiredPods(PoolView view) {
    return local.desiredPods(view);
  }

  @Override
  public void watch(Watcher watcher) {
    local.watch(watcher);
  }

  @Override
  public Optional<PoolReport> report(String pool) {
    return ask(pool, local::report, PeerGrpc.getReportMethod(), new TypeReference<>() {});
  }

  @Override
  public Optional<PoolReport> standby(String pool) {
    return local.standby(pool).or(() -> standbyElsewhere(pool));
  }

  private Optional<PoolReport> standbyElsewhere(String pool) {
    if (!local.pools().contains(pool)) {
      return Optional.empty();
    }
    Owner owner = routing.owner(pool);
    return routing.others().stream()
        .filter(
            address -> !(owner instanceof Owner.Other silent && silent.address().equals(address)))
        .flatMap(
            address ->
                peers
                    .query(
                        address,
                        PeerGrpc.getStandbyMethod(),
                        pool,
                        new TypeReference<PoolReport>() {})
                    .stream())
        .findFirst();
  }

  /** The owner first: what this instance has of a pool that it owned until now may be stale. */
  private <T> Optional<T> ask(
      String pool,
      Function<String, Optional<T>> here,
      MethodDescriptor<PoolRequest, PoolResponse> there,
      TypeReference<T> type) {
    return routing.owner(pool) instanceof Owner.Other other
        ? peers.query(other.address(), there, pool, type).or(() -> here.apply(pool))
        : here.apply(pool);
  }

  @Override
  public boolean isElsewhere(String pool) {
    return local.isElsewhere(pool);
  }

  @Override
  public boolean isOwned(String pool) {
    return local.isOwned(pool);
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
