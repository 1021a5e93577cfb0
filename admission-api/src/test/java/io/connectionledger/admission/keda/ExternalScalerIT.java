package io.connectionledger.admission.keda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import com.google.protobuf.UnknownFieldSet.Field;
import io.connectionledger.admission.LoopbackServer;
import io.connectionledger.admission.keda.Demand.Known;
import io.connectionledger.admission.keda.Demand.NoSuchPool;
import io.connectionledger.admission.keda.Demand.Unready;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * KEDA's side is written by the field numbers that KEDA publishes, without our descriptors, over a
 * real connection.
 */
final class ExternalScalerIT {

  private final Map<String, Demand> demand = new ConcurrentHashMap<>();
  private final AtomicInteger asked = new AtomicInteger();
  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
  private Server server;
  private ManagedChannel channel;

  @BeforeEach
  void start() throws IOException {
    server =
        LoopbackServer.start(
            new ExternalScaler(
                pool -> {
                  asked.incrementAndGet();
                  return demand.getOrDefault(pool, new NoSuchPool());
                },
                executor),
            ProtoReflectionServiceV1.newInstance());
    channel = NettyChannelBuilder.forAddress("127.0.0.1", server.getPort()).usePlaintext().build();
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    server.shutdownNow();
    executor.shutdownNow();
  }

  @Test
  void shouldLeadTheAutoscalerToTheDesiredPods() {
    // Given
    demand.put("chat", new Known(7, true));
    // When
    UnknownFieldSet spec = only(ask("GetMetricSpec", scaledObject("chat")), 1);
    UnknownFieldSet value =
        only(ask("GetMetrics", metricsRequest("chat", text(spec.getField(1)))), 1);
    // Then
    assertThat(text(spec.getField(1))).isEqualTo("desired-pods");
    assertThat(text(value.getField(1))).isEqualTo("desired-pods");
    long target = spec.getField(2).getVarintList().getFirst();
    assertThat(target).isEqualTo(1);
    assertThat(fraction(spec.getField(3))).isEqualTo((double) target);
    assertThat(value.getField(2).getVarintList()).containsExactly(7 * target);
    assertThat(fraction(value.getField(3))).isEqualTo(7.0 * target);
  }

  @Test
  void shouldBeActiveWhileThePoolIsInUse() {
    // Given
    demand.put("chat", new Known(1, true));
    demand.put("idle", new Known(0, false));
    // When
    UnknownFieldSet inUse = ask("IsActive", scaledObject("chat"));
    UnknownFieldSet idle = ask("IsActive", scaledObject("idle"));
    // Then
    assertThat(inUse.getField(1).getVarintList()).containsExactly(1L);
    assertThat(idle.hasField(1)).isFalse();
  }

  @Test
  void shouldSayNothingThatCouldScaleWhileThePoolIsNotReady() {
    // Given
    demand.put("chat", new Unready(List.of("completeness is 0.40", "the owner is new")));
    // When
    Status active = refusal("IsActive", scaledObject("chat"));
    Status metrics = refusal("GetMetrics", metricsRequest("chat", "desired-pods"));
    UnknownFieldSet spec = ask("GetMetricSpec", scaledObject("chat"));
    // Then
    assertThat(active.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(metrics.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(metrics.getDescription())
        .isEqualTo("pool 'chat' is not ready: completeness is 0.40; the owner is new");
    assertThat(spec.hasField(1)).isTrue();
  }

  @Test
  void shouldRefuseWhatIsWrongInOneLine() {
    // Given
    demand.put("chat", new Known(1, true));
    // When
    Status missing = refusal("IsActive", UnknownFieldSet.getDefaultInstance());
    Status unknown = refusal("GetMetricSpec", scaledObject("chta"));
    Status metric = refusal("GetMetrics", metricsRequest("chat", "cpu"));
    // Then
    assertThat(missing.getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(missing.getDescription())
        .isEqualTo("scalerMetadata.pool is missing: allowed is the name of a pool");
    assertThat(unknown.getCode()).isEqualTo(Status.Code.NOT_FOUND);
    assertThat(unknown.getDescription())
        .isEqualTo("scalerMetadata.pool is 'chta': no pool has this name");
    assertThat(metric.getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(metric.getDescription()).isEqualTo("metricName is 'cpu': allowed is desired-pods");
  }

  @Test
  void shouldStreamChangesOnlyAndNothingWhileThePoolIsNotReady() {
    // Given
    demand.put("chat", new Known(1, true));
    Iterator<byte[]> stream =
        ClientCalls.blockingServerStreamingCall(
            channel,
            method("StreamIsActive", MethodType.SERVER_STREAMING),
            CallOptions.DEFAULT,
            scaledObject("chat").toByteArray());
    // When
    UnknownFieldSet first = parse(stream.next());
    demand.put("chat", new Unready(List.of("the owner is new")));
    awaitOneMoreQuestion();
    demand.put("chat", new Known(2, true));
    awaitOneMoreQuestion();
    demand.put("chat", new Known(0, false));
    UnknownFieldSet second = parse(stream.next());
    demand.remove("chat");
    StatusRuntimeException end =
        catchThrowableOfType(StatusRuntimeException.class, stream::hasNext);
    // Then
    assertThat(first.getField(1).getVarintList()).containsExactly(1L);
    assertThat(second.hasField(1)).isFalse();
    assertThat(end.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
  }

  @Test
  void shouldEndAStreamThatIsCancelled() {
    // Given
    demand.put("chat", new Known(1, true));
    ClientCall<byte[], byte[]> call =
        channel.newCall(method("StreamIsActive", MethodType.SERVER_STREAMING), CallOptions.DEFAULT);
    ConcurrentLinkedQueue<byte[]> told = new ConcurrentLinkedQueue<>();
    ClientCalls.asyncServerStreamingCall(call, scaledObject("chat").toByteArray(), into(told));
    await().until(() -> !told.isEmpty());
    // When
    call.cancel("enough", null);
    executor.shutdown();
    // Then
    await().until(executor::isTerminated);
  }

  @Test
  void shouldShowItsProtocolByReflection() {
    // Given
    ConcurrentLinkedQueue<ServerReflectionResponse> answers = new ConcurrentLinkedQueue<>();
    StreamObserver<ServerReflectionRequest> questions =
        ServerReflectionGrpc.newStub(channel).serverReflectionInfo(into(answers));
    // When
    questions.onNext(
        ServerReflectionRequest.newBuilder()
            .setFileContainingSymbol("externalscaler.ExternalScaler.GetMetrics")
            .build());
    questions.onCompleted();
    // Then
    await().until(() -> !answers.isEmpty());
    assertThat(answers.element().getFileDescriptorResponse().getFileDescriptorProtoList())
        .singleElement()
        .extracting(ByteString::toStringUtf8)
        .asString()
        .contains("ScaledObjectRef", "scalerMetadata", "GetMetricSpecResponse");
  }

  private void awaitOneMoreQuestion() {
    int before = asked.get();
    // Two, as the first may have been under way already.
    await().until(() -> asked.get() >= before + 2);
  }

  private UnknownFieldSet ask(String method, UnknownFieldSet request) {
    return parse(
        ClientCalls.blockingUnaryCall(
            channel, method(method, MethodType.UNARY), CallOptions.DEFAULT, request.toByteArray()));
  }

  private Status refusal(String method, UnknownFieldSet request) {
    return catchThrowableOfType(StatusRuntimeException.class, () -> ask(method, request))
        .getStatus();
  }

  private static UnknownFieldSet scaledObject(String pool) {
    return UnknownFieldSet.newBuilder()
        .addField(1, text("chat-scaler"))
        .addField(2, text("default"))
        .addField(
            3,
            Field.newBuilder()
                .addLengthDelimited(entry("scalerAddress", "ledger:9002"))
                .addLengthDelimited(entry("pool", pool))
                .build())
        .build();
  }

  private static ByteString entry(String key, String value) {
    return UnknownFieldSet.newBuilder()
        .addField(1, text(key))
        .addField(2, text(value))
        .build()
        .toByteString();
  }

  private static UnknownFieldSet metricsRequest(String pool, String metric) {
    return UnknownFieldSet.newBuilder()
        .addField(
            1, Field.newBuilder().addLengthDelimited(scaledObject(pool).toByteString()).build())
        .addField(2, text(metric))
        .build();
  }

  private static Field text(String value) {
    return Field.newBuilder().addLengthDelimited(ByteString.copyFromUtf8(value)).build();
  }

  private static String text(Field field) {
    return field.getLengthDelimitedList().getFirst().toStringUtf8();
  }

  private static double fraction(Field field) {
    return Double.longBitsToDouble(field.getFixed64List().getFirst());
  }

  private static UnknownFieldSet only(UnknownFieldSet message, int field) {
    assertThat(message.getField(field).getLengthDelimitedList()).hasSize(1);
    return parse(message.getField(field).getLengthDelimitedList().getFirst().toByteArray());
  }

  private static UnknownFieldSet parse(byte[] message) {
    try {
      return UnknownFieldSet.parseFrom(message);
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  private static <T> StreamObserver<T> into(ConcurrentLinkedQueue<T> queue) {
    return new StreamObserver<>() {
      @Override
      public void onNext(T message) {
        queue.add(message);
      }

      @Override
      public void onError(Throwable failure) {}

      @Override
      public void onCompleted() {}
    };
  }

  private static MethodDescriptor<byte[], byte[]> method(String name, MethodType type) {
    return MethodDescriptor.<byte[], byte[]>newBuilder()
        .setType(type)
        .setFullMethodName("externalscaler.ExternalScaler/" + name)
        .setRequestMarshaller(BYTES)
        .setResponseMarshaller(BYTES)
        .build();
  }

  private static final Marshaller<byte[]> BYTES =
      new Marshaller<>() {
        @Override
        public InputStream stream(byte[] message) {
          return new ByteArrayInputStream(message);
        }

        @Override
        public byte[] parse(InputStream message) {
          try {
            return message.readAllBytes();
          } catch (IOException broken) {
            throw new UncheckedIOException(broken);
          }
        }
      };
}
