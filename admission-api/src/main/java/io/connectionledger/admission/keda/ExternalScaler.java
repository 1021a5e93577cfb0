package io.connectionledger.admission.keda;

import io.connectionledger.admission.keda.proto.ExternalScalerGrpc;
import io.connectionledger.admission.keda.proto.GetMetricSpecResponse;
import io.connectionledger.admission.keda.proto.GetMetricsRequest;
import io.connectionledger.admission.keda.proto.GetMetricsResponse;
import io.connectionledger.admission.keda.proto.IsActiveResponse;
import io.connectionledger.admission.keda.proto.MetricSpec;
import io.connectionledger.admission.keda.proto.MetricValue;
import io.connectionledger.admission.keda.proto.ScaledObjectRef;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * KEDA's external scaler ({@code externalscaler.ExternalScaler}). The trigger's metadata name the
 * {@code pool}; other keys are KEDA's own and ignored.
 *
 * <p>The one metric is {@value #METRIC} with a target of 1. KEDA's autoscaler asks for {@code
 * ceil(value / target)} pods (metric type AverageValue, which is KEDA's default), so what the
 * ledger wants is what it arrives at, within {@code minReplicaCount} and {@code maxReplicaCount}.
 * The autoscaler leaves alone what differs by a tenth or less.
 *
 * <p>A pool is active, so that KEDA does not scale it to zero, while it has connections or turned
 * some away in the last five minutes. A pool whose figures cannot be relied on is answered
 * UNAVAILABLE, on which KEDA leaves the pods alone, or goes to its {@code fallback}; a wrong or
 * missing name INVALID_ARGUMENT or NOT_FOUND.
 *
 * <p>Thread-safe. The caller's threads never wait: questions go to the executor, where each may
 * wait for another instance.
 */
public final class ExternalScaler extends ExternalScalerGrpc.ExternalScalerImplBase {

  private static final Logger LOGGER = LoggerFactory.getLogger(ExternalScaler.class);

  static final String METRIC = "desired-pods";

  /** How late a stream tells of a change. */
  private static final Duration INTERVAL = Duration.ofSeconds(1);

  /** One for each ScaledObject and instance of KEDA; whoever wants more has lost count of them. */
  static final int MAX_STREAMS = 1_000;

  /** Questions at once; each may ask another instance. */
  static final int MAX_QUESTIONS = 64;

  private static final String POOL = "pool";

  private final Demand.Source demand;
  private final Executor executor;
  private final Semaphore streams = new Semaphore(MAX_STREAMS);
  private final Semaphore questions = new Semaphore(MAX_QUESTIONS);

  /**
   * One that answers what the source says.
   *
   * @param executor for questions and for as long as streams last; a thread for each
   */
  public ExternalScaler(Demand.Source demand, Executor executor) {
    this.demand = demand;
    this.executor = executor;
  }

  @Override
  public void isActive(ScaledObjectRef scaledObject, StreamObserver<IsActiveResponse> responses) {
    answer(responses, () -> isActive(known(pool(scaledObject)).inUse()));
  }

  /** Needs the pool to exist, so that a misspelt one shows when the ScaledObject is created. */
  @Override
  public void getMetricSpec(
      ScaledObjectRef scaledObject, StreamObserver<GetMetricSpecResponse> responses) {
    answer(
        responses,
        () -> {
          String pool = pool(scaledObject);
          if (demand.of(pool) instanceof Demand.NoSuchPool) {
            throw noSuchPool(pool);
          }
          return GetMetricSpecResponse.newBuilder()
              .addMetricSpecs(
                  MetricSpec.newBuilder()
                      .setMetricName(METRIC)
                      .setTargetSize(1)
                      .setTargetSizeFloat(1))
              .build();
        });
  }

  @Override
  public void getMetrics(GetMetricsRequest request, StreamObserver<GetMetricsResponse> responses) {
    answer(
        responses,
        () -> {
          String metric = request.getMetricName();
          if (!metric.equals(METRIC)) {
            throw invalid("metricName is '" + metric + "': allowed is " + METRIC);
          }
          Demand.Known known = known(pool(request.getScaledObjectRef()));
          return GetMetricsResponse.newBuilder()
              .addMetricValues(
                  MetricValue.newBuilder()
                      .setMetricName(METRIC)
                      .setMetricValue(known.desiredPods())
                      .setMetricValueFloat(known.desiredPods()))
              .build();
        });
  }

  private <T> void answer(StreamObserver<T> responses, Supplier<T> question) {
    if (!questions.tryAcquire()) {
      responses.onError(tooMany(MAX_QUESTIONS + " questions at once"));
      return;
    }
    executor.execute(
        () -> {
          T response;
          try {
            response = question.get();
          } catch (RuntimeException failure) {
            fail(responses, failure);
            return;
          } finally {
            questions.release();
          }
          responses.onNext(response);
          responses.onCompleted();
        });
  }

  private static StatusRuntimeException tooMany(String allowed) {
    return Status.RESOURCE_EXHAUSTED.withDescription("allowed are " + allowed).asRuntimeException();
  }

  /** Says so at once, and then whenever it changes; nothing while the pool is not ready. */
  @Override
  public void streamIsActive(
      ScaledObjectRef scaledObject, StreamObserver<IsActiveResponse> responses) {
    // gRPC gives every server method this kind of observer.
    ServerCallStreamObserver<IsActiveResponse> call =
        (ServerCallStreamObserver<IsActiveResponse>) responses;
    CountDownLatch cancelled = new CountDownLatch(1);
    call.setOnCancelHandler(cancelled::countDown);
    if (!streams.tryAcquire()) {
      call.onError(tooMany(MAX_STREAMS + " streams"));
      return;
    }
    executor.execute(
        () -> {
          try {
            follow(pool(scaledObject), call, cancelled);
          } catch (RuntimeException failure) {
            fail(call, failure);
          } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
            call.onError(
                Status.UNAVAILABLE.withDescription("the instance stops").asRuntimeException());
          } finally {
            streams.release();
          }
        });
  }

  private void follow(
      String pool, ServerCallStreamObserver<IsActiveResponse> call, CountDownLatch cancelled)
      throws InterruptedException {
    boolean told = false;
    boolean last = false;
    do {
      switch (demand.of(pool)) {
        case Demand.Known known -> {
          if (!told || known.inUse() != last) {
            told = true;
            last = known.inUse();
            call.onNext(isActive(last));
          }
        }
        case Demand.Unready later -> {
          // KEDA goes on with what it was told last.
        }
        case Demand.NoSuchPool none -> throw noSuchPool(pool);
      }
    } while (!cancelled.await(INTERVAL.toMillis(), TimeUnit.MILLISECONDS));
  }

  private static IsActiveResponse isActive(boolean result) {
    return IsActiveResponse.newBuilder().setResult(result).build();
  }

  private static void fail(StreamObserver<?> responses, RuntimeException failure) {
    if (!(failure instanceof StatusRuntimeException)) {
      LOGGER.atError().setCause(failure).log("A question of KEDA could not be answered");
    }
    responses.onError(failure);
  }

  private Demand.Known known(String pool) {
    return switch (demand.of(pool)) {
      case Demand.Known known -> known;
      case Demand.Unready unready ->
          throw Status.UNAVAILABLE
              .withDescription(
                  "pool '" + pool + "' is not ready: " + String.join("; ", unready.reasons()))
              .asRuntimeException();
      case Demand.NoSuchPool none -> throw noSuchPool(pool);
    };
  }

  private static String pool(ScaledObjectRef scaledObject) {
    String pool = scaledObject.getScalerMetadataMap().get(POOL);
    if (pool == null || pool.isEmpty()) {
      throw invalid("scalerMetadata.pool is missing: allowed is the name of a pool");
    }
    return pool;
  }

  private static StatusRuntimeException noSuchPool(String pool) {
    return Status.NOT_FOUND
        .withDescription("scalerMetadata.pool is '" + pool + "': no pool has this name")
        .asRuntimeException();
  }

  private static StatusRuntimeException invalid(String line) {
    return Status.INVALID_ARGUMENT.withDescription(line).asRuntimeException();
  }
}
