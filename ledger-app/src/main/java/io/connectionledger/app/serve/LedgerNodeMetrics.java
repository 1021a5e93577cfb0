package io.connectionledger.app.serve;

import com.sun.management.OperatingSystemMXBean;
import io.grpc.ServerInterceptor;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.grpc.MetricCollectingServerInterceptor;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * The meters of one instance: the registry of all its parts, what the JVM and the process say of
 * themselves, and the calls that its gRPC servers take. Every label comes from the configuration or
 * from the program, none from a client or an Envoy. Thread-safe.
 */
final class LedgerNodeMetrics implements AutoCloseable {

  private static final double NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final JvmGcMetrics gc = new JvmGcMetrics();
  private final ServerInterceptor grpc;

  LedgerNodeMetrics() {
    registry.config().meterFilter(new MeterNames());
    gc.bindTo(registry);
    new JvmMemoryMetrics().bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    new ClassLoaderMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    new FileDescriptorMetrics().bindTo(registry);
    new UptimeMetrics().bindTo(registry);
    bindProcessorTime(registry);
    grpc = new MetricCollectingServerInterceptor(registry);
  }

  /** The binder's own counts nanoseconds, which {@link MeterNames} leaves out. */
  private static void bindProcessorTime(MeterRegistry registry) {
    if (ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system) {
      FunctionCounter.builder(
              "process.cpu", system, process -> process.getProcessCpuTime() / NANOS_PER_SECOND)
          .description("Processor time that this process has used")
          .baseUnit("seconds")
          .register(registry);
    }
  }

  /** Shows what {@code /health/ready} answers. */
  void readiness(BooleanSupplier ready) {
    Gauge.builder("ledger.ready", () -> ready.getAsBoolean() ? 1 : 0)
        .description("1 while this instance may get checks, 0 while /health/ready is 503")
        .register(registry);
  }

  PrometheusMeterRegistry registry() {
    return registry;
  }

  /** Counts and times the calls of a server, by method and status. */
  ServerInterceptor grpc() {
    return grpc;
  }

  @Override
  public void close() {
    gc.close();
    registry.close();
  }
}
