package io.connectionledger.admission.peer.grpc;

import io.connectionledger.admission.peer.LoanRequest;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.MethodType;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/**
 * What instances say to each other, on the port of ext_authz: names of pools in UTF-8 and JSON,
 * each as the bytes of one gRPC message. An empty answer says that the one who was asked does not
 * own the pool.
 */
final class PeerProtocol {

  static final String SERVICE = "connectionledger.Peer";

  /** The name of a pool, and what the client is known by → a decision, as in the topic. */
  static final MethodDescriptor<byte[], byte[]> DECIDE = method("Decide");

  /** An allowed decision, as in the topic → nothing. */
  static final MethodDescriptor<byte[], byte[]> RELEASE = method("Release");

  /** A {@link LoanRequest} → a Loan. */
  static final MethodDescriptor<byte[], byte[]> LEND = method("Lend");

  /** The name of a pool → a PoolView. */
  static final MethodDescriptor<byte[], byte[]> CONNECTIONS = method("Connections");

  /** The name of a pool → a PoolReadiness. */
  static final MethodDescriptor<byte[], byte[]> READINESS = method("Readiness");

  /** The name of a pool → a PoolRejections. */
  static final MethodDescriptor<byte[], byte[]> REJECTIONS = method("Rejections");

  /** The name of a pool → a PoolReport. */
  static final MethodDescriptor<byte[], byte[]> REPORT = method("Report");

  /** The name of a pool that somebody else owns → a PoolReport of a copy of it. */
  static final MethodDescriptor<byte[], byte[]> STANDBY = method("Standby");

  static final byte[] NOTHING = {};

  private PeerProtocol() {}

  private static MethodDescriptor<byte[], byte[]> method(String name) {
    return MethodDescriptor.<byte[], byte[]>newBuilder()
        .setType(MethodType.UNARY)
        .setFullMethodName(MethodDescriptor.generateFullMethodName(SERVICE, name))
        .setRequestMarshaller(Bytes.MARSHALLER)
        .setResponseMarshaller(Bytes.MARSHALLER)
        .build();
  }

  private enum Bytes implements Marshaller<byte[]> {
    MARSHALLER;

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
  }
}
