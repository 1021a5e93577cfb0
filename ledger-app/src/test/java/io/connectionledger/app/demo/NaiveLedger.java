package io.connectionledger.app.demo;

import io.connectionledger.app.demo.LedgerStarter.RunningLedger;
import io.connectionledger.app.envoy.LedgerStandIn;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.envoyproxy.envoy.data.accesslog.v3.AccessLogType;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPAccessLogEntry;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.envoyproxy.envoy.service.auth.v3.DeniedHttpResponse;
import io.envoyproxy.envoy.type.v3.HttpStatus;
import io.envoyproxy.envoy.type.v3.StatusCode;
import io.javalin.Javalin;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/**
 * The simplest ledger that can be right while nothing fails: per pod a limit, no rate. It can be
 * told to let one pod have more than its limit.
 */
final class NaiveLedger implements RunningLedger {

  private final PoolPolicy policy;
  private final int excess;
  private final LedgerStandIn edge;
  private final Javalin http;
  private final Map<String, Integer> reserved = new HashMap<>();
  private final Map<String, Integer> active = new HashMap<>();
  private int attempted;
  private int established;
  private int rejected;

  NaiveLedger(PoolPolicy policy, int excess) throws IOException {
    this.policy = policy;
    this.excess = excess;
    edge = new LedgerStandIn(java.util.List.of(policy));
    edge.answer(this::decide);
    edge.onEntry(this::logged);
    http =
        Javalin.create(
            config -> {
              config.startup.showJavalinBanner = false;
              config.routes.get(
                  "/v1/pools/chat/connections", context -> context.result(connections()));
              config.routes.get("/metrics", context -> context.result(metrics()));
            });
    http.start("127.0.0.1", 0);
  }

  private synchronized CheckResponse decide() {
    attempted++;
    for (Pod pod : policy.pods()) {
      String address = pod.address().toString();
      int held = reserved.getOrDefault(address, 0) + active.getOrDefault(address, 0);
      if (held < policy.perPodMaxConnections() + excess) {
        reserved.merge(address, 1, Integer::sum);
        return LedgerStandIn.place(pod.address(), "r");
      }
    }
    rejected++;
    return CheckResponse.newBuilder()
        .setStatus(com.google.rpc.Status.newBuilder().setCode(7))
        .setDeniedResponse(
            DeniedHttpResponse.newBuilder()
                .setStatus(HttpStatus.newBuilder().setCode(StatusCode.ServiceUnavailable)))
        .build();
  }

  private synchronized void logged(HTTPAccessLogEntry entry) {
    var common = entry.getCommonProperties();
    var socket = common.getUpstreamRemoteAddress().getSocketAddress();
    String pod = socket.getAddress() + ":" + socket.getPortValue();
    if (common.getAccessLogType() == AccessLogType.DownstreamTunnelSuccessfullyEstablished) {
      established++;
      reserved.merge(pod, -1, Integer::sum);
      active.merge(pod, 1, Integer::sum);
    } else if (common.getAccessLogType() == AccessLogType.DownstreamEnd
        && entry.getResponse().getResponseCode().getValue() == 101) {
      active.merge(pod, -1, Integer::sum);
    }
  }

  private synchronized String connections() {
    StringBuilder json = new StringBuilder("{\"pods\":[");
    for (Pod pod : policy.pods()) {
      String address = pod.address().toString();
      json.append(json.charAt(json.length() - 1) == '[' ? "" : ",")
          .append(
              String.format(
                  "{\"pod\":\"%s\",\"address\":\"%s\",\"active\":%d,\"reserved\":%d,\"limit\":%d}",
                  pod.name(),
                  address,
                  active.getOrDefault(address, 0),
                  reserved.getOrDefault(address, 0),
                  policy.perPodMaxConnections()));
    }
    return json.append("]}").toString();
  }

  private synchronized String metrics() {
    return String.format(
        """
        # TYPE websocket_connections_attempted_total counter
        websocket_connections_attempted_total{pool="chat"} %d.0
        websocket_connections_established_total{pool="chat"} %d.0
        websocket_connections_rejected_total{pool="chat",reason="pod_limit"} %d.0
        """,
        attempted, established, rejected);
  }

  @Override
  public LedgerPorts ports() {
    return new LedgerPorts(edge.port(), edge.port(), edge.port(), http.port());
  }

  @Override
  public void close() {
    http.stop();
    edge.close();
  }
}
