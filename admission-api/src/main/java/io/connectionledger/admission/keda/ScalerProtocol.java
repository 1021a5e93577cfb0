package io.connectionledger.admission.keda;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto.Label;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.MessageOptions;
import com.google.protobuf.DescriptorProtos.MethodDescriptorProto;
import com.google.protobuf.DescriptorProtos.ServiceDescriptorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServiceDescriptor;
import io.grpc.protobuf.ProtoFileDescriptorSupplier;
import io.grpc.protobuf.ProtoUtils;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * KEDA's protocol of external scalers, as KEDA 2 publishes it in {@code externalscaler.proto}. It
 * is small and does not change, so its descriptors are written here instead of being generated;
 * server reflection shows them to whoever asks. Of its methods {@code StreamMetricSpec} is left
 * out: our target never changes.
 */
final class ScalerProtocol {

  private static final String PACKAGE = "externalscaler";
  private static final String NAME = "ExternalScaler";
  private static final FileDescriptor FILE = build();

  static final MethodDescriptor<DynamicMessage, DynamicMessage> IS_ACTIVE =
      method("IsActive", MethodType.UNARY);
  static final MethodDescriptor<DynamicMessage, DynamicMessage> STREAM_IS_ACTIVE =
      method("StreamIsActive", MethodType.SERVER_STREAMING);
  static final MethodDescriptor<DynamicMessage, DynamicMessage> GET_METRIC_SPEC =
      method("GetMetricSpec", MethodType.UNARY);
  static final MethodDescriptor<DynamicMessage, DynamicMessage> GET_METRICS =
      method("GetMetrics", MethodType.UNARY);

  static final ServiceDescriptor SERVICE =
      ServiceDescriptor.newBuilder(PACKAGE + '.' + NAME)
          .setSchemaDescriptor((ProtoFileDescriptorSupplier) () -> FILE)
          .addMethod(IS_ACTIVE)
          .addMethod(STREAM_IS_ACTIVE)
          .addMethod(GET_METRIC_SPEC)
          .addMethod(GET_METRICS)
          .build();

  private ScalerProtocol() {}

  /** The metadata of the trigger in a ScaledObjectRef; of a key that is there twice, the last. */
  static Map<String, String> metadata(Message scaledObjectRef) {
    Map<String, String> metadata = new HashMap<>();
    FieldDescriptor entries = field(scaledObjectRef.getDescriptorForType(), "scalerMetadata");
    for (int i = 0; i < scaledObjectRef.getRepeatedFieldCount(entries); i++) {
      Message entry = (Message) scaledObjectRef.getRepeatedField(entries, i);
      metadata.put(text(entry, "key"), text(entry, "value"));
    }
    return metadata;
  }

  /** The ScaledObjectRef of a GetMetricsRequest; an empty one when there is none. */
  static Message scaledObject(Message getMetricsRequest) {
    return (Message)
        getMetricsRequest.getField(
            field(getMetricsRequest.getDescriptorForType(), "scaledObjectRef"));
  }

  /** The metric's name in a GetMetricsRequest; empty when there is none. */
  static String metricName(Message getMetricsRequest) {
    return text(getMetricsRequest, "metricName");
  }

  static DynamicMessage isActive(boolean result) {
    Descriptor type = FILE.findMessageTypeByName("IsActiveResponse");
    return DynamicMessage.newBuilder(type).setField(field(type, "result"), result).build();
  }

  static DynamicMessage metricSpec(String metric, long target) {
    return listOf("GetMetricSpecResponse", number("MetricSpec", metric, "targetSize", target));
  }

  static DynamicMessage metricValue(String metric, long value) {
    return listOf("GetMetricsResponse", number("MetricValue", metric, "metricValue", value));
  }

  /** In both forms: KEDA reads the one with a fraction, and before 2.12 only the other. */
  private static DynamicMessage number(String type, String metric, String name, long value) {
    Descriptor descriptor = FILE.findMessageTypeByName(type);
    return DynamicMessage.newBuilder(descriptor)
        .setField(field(descriptor, "metricName"), metric)
        .setField(field(descriptor, name), value)
        .setField(field(descriptor, name + "Float"), (double) value)
        .build();
  }

  private static DynamicMessage listOf(String type, DynamicMessage only) {
    Descriptor descriptor = FILE.findMessageTypeByName(type);
    return DynamicMessage.newBuilder(descriptor)
        .addRepeatedField(descriptor.getFields().getFirst(), only)
        .build();
  }

  private static String text(Message message, String name) {
    return (String) message.getField(field(message.getDescriptorForType(), name));
  }

  private static FieldDescriptor field(Descriptor type, String name) {
    FieldDescriptor field = type.findFieldByName(name);
    if (field == null) {
      throw new IllegalStateException(type.getName() + " has no field " + name);
    }
    return field;
  }

  private static MethodDescriptor<DynamicMessage, DynamicMessage> method(
      String name, MethodType type) {
    var method = FILE.findServiceByName(NAME).findMethodByName(name);
    return MethodDescriptor.<DynamicMessage, DynamicMessage>newBuilder()
        .setType(type)
        .setFullMethodName(MethodDescriptor.generateFullMethodName(PACKAGE + '.' + NAME, name))
        .setRequestMarshaller(
            ProtoUtils.marshaller(DynamicMessage.getDefaultInstance(method.getInputType())))
        .setResponseMarshaller(
            ProtoUtils.marshaller(DynamicMessage.getDefaultInstance(method.getOutputType())))
        .build();
  }

  private static FileDescriptor build() {
    FileDescriptorProto file =
        FileDescriptorProto.newBuilder()
            .setName("externalscaler.proto")
            .setPackage(PACKAGE)
            .setSyntax("proto3")
            .addMessageType(scaledObjectRef())
            .addMessageType(
                message(
                    "IsActiveResponse", scalar("result", 1, FieldDescriptorProto.Type.TYPE_BOOL)))
            .addMessageType(
                message(
                    "GetMetricSpecResponse",
                    nested("metricSpecs", 1, "MetricSpec").setLabel(Label.LABEL_REPEATED)))
            .addMessageType(
                message(
                    "MetricSpec",
                    scalar("metricName", 1, FieldDescriptorProto.Type.TYPE_STRING),
                    scalar("targetSize", 2, FieldDescriptorProto.Type.TYPE_INT64),
                    scalar("targetSizeFloat", 3, FieldDescriptorProto.Type.TYPE_DOUBLE)))
            .addMessageType(
                message(
                    "GetMetricsRequest",
                    nested("scaledObjectRef", 1, "ScaledObjectRef"),
                    scalar("metricName", 2, FieldDescriptorProto.Type.TYPE_STRING)))
            .addMessageType(
                message(
                    "GetMetricsResponse",
                    nested("metricValues", 1, "MetricValue").setLabel(Label.LABEL_REPEATED)))
            .addMessageType(
                message(
                    "MetricValue",
                    scalar("metricName", 1, FieldDescriptorProto.Type.TYPE_STRING),
                    scalar("metricValue", 2, FieldDescriptorProto.Type.TYPE_INT64),
                    scalar("metricValueFloat", 3, FieldDescriptorProto.Type.TYPE_DOUBLE)))
            .addService(
                ServiceDescriptorProto.newBuilder()
                    .setName(NAME)
                    .addMethod(rpc("IsActive", "ScaledObjectRef", "IsActiveResponse"))
                    .addMethod(
                        rpc("StreamIsActive", "ScaledObjectRef", "IsActiveResponse")
                            .setServerStreaming(true))
                    .addMethod(rpc("GetMetricSpec", "ScaledObjectRef", "GetMetricSpecResponse"))
                    .addMethod(rpc("GetMetrics", "GetMetricsRequest", "GetMetricsResponse")))
            .build();
    try {
      return FileDescriptor.buildFrom(file, new FileDescriptor[0]);
    } catch (DescriptorValidationException impossible) {
      throw new IllegalStateException("the descriptors are constants", impossible);
    }
  }

  /** Its metadata are a {@code map<string, string>}, which on the wire is a list of entries. */
  private static DescriptorProto scaledObjectRef() {
    return message(
            "ScaledObjectRef",
            scalar("name", 1, FieldDescriptorProto.Type.TYPE_STRING),
            scalar("namespace", 2, FieldDescriptorProto.Type.TYPE_STRING),
            nested("scalerMetadata", 3, "ScaledObjectRef.ScalerMetadataEntry")
                .setLabel(Label.LABEL_REPEATED))
        .toBuilder()
        .addNestedType(
            message(
                    "ScalerMetadataEntry",
                    scalar("key", 1, FieldDescriptorProto.Type.TYPE_STRING),
                    scalar("value", 2, FieldDescriptorProto.Type.TYPE_STRING))
                .toBuilder()
                .setOptions(MessageOptions.newBuilder().setMapEntry(true)))
        .build();
  }

  private static DescriptorProto message(String name, FieldDescriptorProto.Builder... fields) {
    return DescriptorProto.newBuilder()
        .setName(name)
        .addAllField(List.of(fields).stream().map(FieldDescriptorProto.Builder::build).toList())
        .build();
  }

  private static FieldDescriptorProto.Builder scalar(
      String name, int number, FieldDescriptorProto.Type type) {
    return FieldDescriptorProto.newBuilder()
        .setName(name)
        .setNumber(number)
        .setType(type)
        .setLabel(Label.LABEL_OPTIONAL);
  }

  private static FieldDescriptorProto.Builder nested(String name, int number, String type) {
    return scalar(name, number, FieldDescriptorProto.Type.TYPE_MESSAGE)
        .setTypeName('.' + PACKAGE + '.' + type);
  }

  private static MethodDescriptorProto.Builder rpc(String name, String input, String output) {
    return MethodDescriptorProto.newBuilder()
        .setName(name)
        .setInputType('.' + PACKAGE + '.' + input)
        .setOutputType('.' + PACKAGE + '.' + output);
  }
}
