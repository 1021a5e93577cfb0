package io.connectionledger.bench.client;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.connectionledger.bench.process.Subprocess;
import io.connectionledger.model.Ticker;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Pods and clients of a roll-out, as little of either as Envoy takes for WebSockets. It says on
 * which ports its pods listen, then reads lines {@code CLIENTS HOLD_MS PORT...}: so many open a
 * WebSocket at once, through the Envoys at these ports in turns, and close it together. It answers
 * each with a {@link Wave}.
 *
 * <p>Arguments: how many pods.
 */
public final class HandshakeCrowd {

  private static final int BACKLOG = 4_096;
  private static final int TIMEOUT_MS = 30_000;
  private static final Ticker TICKER = Ticker.system();
  private static final byte[] REQUEST =
      """
      GET /chat/rooms/4711 HTTP/1.1
      host: chat.example.com
      connection: Upgrade
      upgrade: websocket
      sec-websocket-version: 13
      sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==

      """
          .replace("\n", "\r\n")
          .getBytes(US_ASCII);
  private static final byte[] ANSWER =
      """
      HTTP/1.1 101 Switching Protocols
      connection: Upgrade
      upgrade: websocket
      sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=

      """
          .replace("\n", "\r\n")
          .getBytes(US_ASCII);

  /** How a wave ended: times until the answer, in milliseconds. */
  public record Wave(int opened, int refused, double p50, double max) {

    public static Wave parse(String line) {
      String[] f = line.split(" ", -1);
      return new Wave(
          Integer.parseInt(f[0]),
          Integer.parseInt(f[1]),
          Double.parseDouble(f[2]),
          Double.parseDouble(f[3]));
    }

    String line() {
      return opened + " " + refused + " " + p50 + " " + max;
    }
  }

  private HandshakeCrowd() {}

  public static void main(String[] args) throws Exception {
    List<String> ports = new ArrayList<>();
    for (int i = 0; i < Integer.parseInt(args[0]); i++) {
      ports.add(Integer.toString(pod()));
    }
    System.out.println(String.join(" ", ports));
    Subprocess.answerEach(
        words ->
            wave(
                    Integer.parseInt(words[0]),
                    Integer.parseInt(words[1]),
                    Arrays.stream(words).skip(2).map(Integer::valueOf).toList())
                .line());
  }

  private static int pod() throws IOException {
    ServerSocket server = new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress());
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              while (true) {
                try {
                  Socket socket = server.accept();
                  Thread.startVirtualThread(() -> serve(socket));
                } catch (IOException broken) {
                  throw new UncheckedIOException(broken);
                }
              }
            });
    return server.getLocalPort();
  }

  private static void serve(Socket socket) {
    try (socket) {
      readHead(socket.getInputStream());
      socket.getOutputStream().write(ANSWER);
      // Until the client goes.
      socket.getInputStream().transferTo(OutputStream.nullOutputStream());
    } catch (IOException gone) {
      // As clients that are cut off do.
      return;
    }
  }

  private static String readHead(InputStream in) throws IOException {
    StringBuilder head = new StringBuilder();
    while (head.length() < 4 || head.indexOf("\r\n\r\n", head.length() - 4) < 0) {
      int next = in.read();
      if (next < 0) {
        throw new IOException("ended after: " + head);
      }
      head.append((char) next);
    }
    return head.toString();
  }

  private static Wave wave(int clients, int holdMs, List<Integer> envoys) throws Exception {
    CountDownLatch answered = new CountDownLatch(clients);
    CountDownLatch go = new CountDownLatch(1);
    CountDownLatch close = new CountDownLatch(1);
    Semaphore opened = new Semaphore(0);
    double[] millis = new double[clients];
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < clients; i++) {
      int client = i;
      threads.add(
          Thread.startVirtualThread(
              () -> {
                try (Socket socket = new Socket()) {
                  socket.setSoTimeout(TIMEOUT_MS);
                  go.await();
                  long startNanos = TICKER.nowNanos();
                  boolean open = handshake(socket, envoys.get(client % envoys.size()));
                  millis[client] = (TICKER.nowNanos() - startNanos) / 1e6;
                  opened.release(open ? 1 : 0);
                  answered.countDown();
                  close.await();
                } catch (IOException failed) {
                  millis[client] = TIMEOUT_MS;
                  answered.countDown();
                } catch (InterruptedException stopping) {
                  Thread.currentThread().interrupt();
                }
              }));
    }
    go.countDown();
    answered.await();
    boolean unused = close.await(holdMs, TimeUnit.MILLISECONDS);
    close.countDown();
    for (Thread thread : threads) {
      thread.join();
    }
    Arrays.sort(millis);
    int open = opened.drainPermits();
    return new Wave(open, clients - open, millis[clients / 2], millis[clients - 1]);
  }

  private static boolean handshake(Socket socket, int port) throws IOException {
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MS);
    socket.getOutputStream().write(REQUEST);
    return readHead(socket.getInputStream()).startsWith("HTTP/1.1 101");
  }
}
