package io.connectionledger.admission.keda;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.admission.RecordingCall;
import io.connectionledger.admission.keda.proto.GetMetricsRequest;
import io.connectionledger.admission.keda.proto.GetMetricsResponse;
import io.connectionledger.admission.keda.proto.IsActiveResponse;
import io.connectionledger.admission.keda.proto.ScaledObjectRef;
import io.grpc.Status;
import java.util.ArrayDeque;
import java.util.Queue;
import org.junit.jupiter.api.Test;

/** How much KEDA, or whoever says to be it, may ask at once. */
final class ExternalScalerTest {

  private static final ScaledObjectRef CHAT =
      ScaledObjectRef.newBuilder().putScalerMetadata("pool", "chat").build();

  /** What nobody works on yet. */
  private final Queue<Runnable> underway = new ArrayDeque<>();

  private final ExternalScaler scaler =
      new ExternalScaler(pool -> new Demand.Known(3, true), underway::add);

  private RecordingCall<GetMetricsResponse> question() {
    RecordingCall<GetMetricsResponse> call = new RecordingCall<>();
    scaler.getMetrics(
        GetMetricsRequest.newBuilder()
            .setScaledObjectRef(CHAT)
            .setMetricName(ExternalScaler.METRIC)
            .build(),
        call);
    return call;
  }

  private RecordingCall<IsActiveResponse> stream() {
    RecordingCall<IsActiveResponse> call = new RecordingCall<>();
    scaler.streamIsActive(CHAT, call);
    return call;
  }

  private static void assertTooMany(RecordingCall<?> call) {
    assertThat(call.error)
        .extracting(failure -> Status.fromThrowable(failure).getCode())
        .isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
  }

  @Test
  void shouldRefuseAQuestionTooManyAndTakeAnotherWhenOneIsAnswered() {
    for (int i = 0; i < ExternalScaler.MAX_QUESTIONS; i++) {
      assertThat(question().error).isNull();
    }
    assertTooMany(question());

    underway.remove().run();

    assertThat(question().error).isNull();
    assertTooMany(question());
  }

  @Test
  void shouldRefuseAStreamTooMany() {
    for (int i = 0; i < ExternalScaler.MAX_STREAMS; i++) {
      assertThat(stream().error).isNull();
    }

    assertTooMany(stream());
    assertThat(question().error).isNull();
  }
}
