package io.connectionledger.admission.http;

import io.connectionledger.admission.http.view.Paging;
import io.connectionledger.admission.http.view.Views;
import io.connectionledger.admission.stream.Refusal;
import io.connectionledger.admission.stream.StreamJson;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.view.PoolReadiness;
import io.connectionledger.model.view.PoolView;

/** The data of server-sent events: what the queries of the same names answer. */
final class StreamViews implements StreamJson {

  private static final Paging ALL = new Paging(Integer.MAX_VALUE, null);

  /** All of a pool. */
  private record Snapshot(
      String pool,
      String asOf,
      Views.Connections connections,
      Object policy,
      Views.Readiness readiness) {}

  @Override
  public byte[] connections(PoolView view, PolicyRecord policy) {
    return Exchange.encode(all(view, policy));
  }

  private static Views.Connections all(PoolView view, PolicyRecord policy) {
    return Views.Connections.of(view, null, policy.paces(), ALL).asEvent();
  }

  @Override
  public byte[] policy(PolicyRecord policy, long nowMs) {
    return Exchange.encode(PolicyRoutes.view(policy, nowMs));
  }

  @Override
  public byte[] readiness(PoolReadiness readiness) {
    return Exchange.encode(Views.Readiness.of(readiness, null));
  }

  @Override
  public byte[] snapshot(PoolView view, PolicyRecord policy, PoolReadiness readiness) {
    return Exchange.encode(
        new Snapshot(
            view.pool(),
            Views.instant(view.asOfMs()),
            all(view, policy),
            PolicyRoutes.view(policy, view.asOfMs()),
            Views.Readiness.of(readiness, null)));
  }

  @Override
  public byte[] problem(Refusal refusal) {
    return Exchange.encode(
        Views.Problem.of(refusal.status(), refusal.detail(), refusal.reason(), null));
  }
}
