package io.connectionledger.bench.abuse;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.connectionledger.bench.process.LedgerProcess.Ports;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;

/**
 * Calls with half a mebibyte of metadata, in as many frames as it takes. By hand: gRPC's own client
 * keeps to what the server says that it takes.
 */
final class Http2Attack {

  private static final int METADATA = 512 << 10;
  private static final int VALUE = 16_000;
  private static final int HEADERS = 1;
  private static final int SETTINGS = 4;
  private static final int CONTINUATION = 9;
  private static final int END_HEADERS = 4;

  private Http2Attack() {}

  static long run(Ports ports, Deadline done) throws IOException {
    byte[] call = call();
    long sent = 0;
    while (!done.isOver()) {
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), ports.authz())) {
        socket.setSoTimeout(5_000);
        sent++;
        sendAndRead(socket, call);
      }
    }
    return sent;
  }

  private static void sendAndRead(Socket socket, byte[] call) {
    try {
      socket.getOutputStream().write(call);
      // Until the ledger has had enough of it.
      socket.getInputStream().transferTo(OutputStream.nullOutputStream());
    } catch (IOException ended) {
      // It was refused before all of it was sent.
    }
  }

  private static byte[] call() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(US_ASCII));
    frame(out, SETTINGS, 0, 0, new byte[0]);
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    // Of HPACK's static table: POST, http.
    head.write(0x83);
    head.write(0x86);
    named(head, ":path", "/envoy.service.auth.v3.Authorization/Check");
    named(head, ":authority", "ledger");
    named(head, "content-type", "application/grpc");
    named(head, "te", "trailers");
    frame(out, HEADERS, 0, 1, head.toByteArray());
    for (int bytes = 0; bytes < METADATA; bytes += VALUE) {
      ByteArrayOutputStream more = new ByteArrayOutputStream();
      named(more, "tracestate", "x".repeat(VALUE));
      boolean last = bytes + VALUE >= METADATA;
      frame(out, CONTINUATION, last ? END_HEADERS : 0, 1, more.toByteArray());
    }
    return out.toByteArray();
  }

  private static void frame(
      ByteArrayOutputStream out, int type, int flags, int stream, byte[] payload)
      throws IOException {
    out.write(payload.length >> 16);
    out.write(payload.length >> 8);
    out.write(payload.length);
    out.write(type);
    out.write(flags);
    out.write(new byte[] {0, 0, 0, (byte) stream});
    out.write(payload);
  }

  /** A literal that is not indexed. */
  private static void named(ByteArrayOutputStream out, String name, String value)
      throws IOException {
    out.write(0);
    text(out, name);
    text(out, value);
  }

  private static void text(ByteArrayOutputStream out, String text) throws IOException {
    int left = text.length();
    if (left < 127) {
      out.write(left);
    } else {
      out.write(127);
      for (left -= 127; left >= 128; left >>= 7) {
        out.write((left & 127) | 128);
      }
      out.write(left);
    }
    out.write(text.getBytes(US_ASCII));
  }
}
