package io.connectionledger.app.tls;

import io.connectionledger.ingest.translate.ReadableLogs;
import io.connectionledger.model.LogRateLimiter;
import io.connectionledger.model.Ticker;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsMessage;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Refuses callers whose certificates do not say that they are who they claim to be. Thread-safe.
 */
public final class Callers {

  /** What stands for the node id in the name that a certificate must have. */
  public static final String NODE = "{node}";

  private static final Logger LOGGER = LoggerFactory.getLogger(Callers.class);

  private final LogRateLimiter gate;
  private final MeterRegistry registry;

  public Callers(Ticker ticker, MeterRegistry registry) {
    this.gate = new LogRateLimiter(ticker, Duration.ofSeconds(10));
    this.registry = registry;
  }

  /** Lets nobody call but instances of this ledger, by {@code tls}. */
  public ServerInterceptor instances(TlsMaterial tls) {
    return new ServerInterceptor() {
      @Override
      public <Q, A> ServerCall.Listener<Q> interceptCall(
          ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        Set<String> names = CertificateNames.of(call);
        if (tls.isInstance(names)) {
          return next.startCall(call, headers);
        }
        refuse(call, "peers", "its certificate is none of an instance's", names);
        return new ServerCall.Listener<>() {};
      }
    };
  }

  /**
   * Lets an Envoy speak for itself alone: each node id that it says must be that of its
   * certificate.
   *
   * @param port what messages call it
   * @param name that the certificate must have, with {@link #NODE} for the node id
   */
  public ServerInterceptor nodes(String port, String name) {
    return new ServerInterceptor() {
      @Override
      public <Q, A> ServerCall.Listener<Q> interceptCall(
          ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        Set<String> names = CertificateNames.of(call);
        Ending<Q, A> ending = new Ending<>(call);
        return new SimpleForwardingServerCallListener<>(next.startCall(ending, headers)) {
          private boolean named;
          private boolean refused;

          @Override
          public void onMessage(Q message) {
            String node = nodeOf(message);
            boolean known = node == null ? named : names.contains(name.replace(NODE, node));
            if (!refused && known) {
              named = true;
              super.onMessage(message);
            } else if (!refused) {
              refused = true;
              ending.over = true;
              refuse(call, port, "its certificate is not that of node id " + node, names);
              // Whoever serves the call learns that it is over.
              super.onCancel();
            }
          }

          @Override
          public void onHalfClose() {
            if (!refused) {
              super.onHalfClose();
            }
          }

          @Override
          public void onCancel() {
            if (!refused) {
              super.onCancel();
            }
          }

          @Override
          public void onReady() {
            if (!refused) {
              super.onReady();
            }
          }
        };
      }
    };
  }

  /** Once it is refused, whoever serves the call may end it in vain. */
  private static final class Ending<Q, A> extends SimpleForwardingServerCall<Q, A> {
    private volatile boolean over;

    Ending(ServerCall<Q, A> call) {
      super(call);
    }

    @Override
    public void close(Status status, Metadata trailers) {
      if (!over) {
        super.close(status, trailers);
      }
    }
  }

  private static @Nullable String nodeOf(Object message) {
    return switch (message) {
      case ReadableLogs.Received log -> {
        StreamAccessLogsMessage logs = log.message();
        yield logs.hasIdentifier() ? logs.getIdentifier().getNode().getId() : null;
      }
      case DiscoveryRequest asked -> asked.hasNode() ? asked.getNode().getId() : null;
      case DeltaDiscoveryRequest asked -> asked.hasNode() ? asked.getNode().getId() : null;
      default -> null;
    };
  }

  private void refuse(ServerCall<?, ?> call, String port, String why, Set<String> names) {
    registry.counter("ledger.callers.refused", "port", port).increment();
    if (gate.passes()) {
      LOGGER
          .atWarn()
          .addKeyValue("port", port)
          .addKeyValue("from", call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR))
          .addKeyValue("certificate", names)
          .addKeyValue("reason", why)
          .log("A caller is refused");
    }
    call.close(Status.PERMISSION_DENIED.withDescription(why + ", but of " + names), new Metadata());
  }
}
