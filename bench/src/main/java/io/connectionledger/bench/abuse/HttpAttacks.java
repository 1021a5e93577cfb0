package io.connectionledger.bench.abuse;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.connectionledger.bench.process.LedgerProcess;
import io.connectionledger.bench.process.LedgerProcess.Ports;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Against the HTTP port. */
final class HttpAttacks {

  private static final int CONNECTIONS = 400;
  private static final String POOL = "/v1/pools/" + LedgerProcess.pool(0);
  private static final String HOST = " HTTP/1.1\r\nHost: 127.0.0.1\r\n";

  private HttpAttacks() {}

  static long run(Attack attack, Ports ports, Deadline done) throws IOException {
    return attack == Attack.DEEP_JSON ? deep(ports, done) : slow(attack, ports, done);
  }

  private static long slow(Attack attack, Ports ports, Deadline done) throws IOException {
    List<Socket> open = new ArrayList<>();
    long sent = 0;
    try {
      while (!done.isOver()) {
        while (open.size() < CONNECTIONS) {
          open.add(begin(attack, ports));
        }
        for (int i = 0; i < open.size() && !done.isOver(); i++) {
          if (attack != Attack.NOT_READING && !say(attack, open.get(i))) {
            open.get(i).close();
            open.set(i, begin(attack, ports));
          }
          sent++;
        }
        done.pause(attack == Attack.HEADERS ? Duration.ofMillis(10) : Duration.ofSeconds(1));
      }
    } finally {
      for (Socket socket : open) {
        socket.close();
      }
    }
    return sent;
  }

  private static Socket begin(Attack attack, Ports ports) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), ports.http());
    String request =
        switch (attack) {
          case SLOW_BODIES -> "PUT " + POOL + "/policy" + HOST + "Content-Length: 100000\r\n\r\n";
          case NOT_READING -> "GET " + POOL + "/stream" + HOST + "\r\n";
          default -> "GET " + POOL + HOST;
        };
    socket.getOutputStream().write(request.getBytes(UTF_8));
    return socket;
  }

  /** False when the ledger has ended the connection. */
  private static boolean say(Attack attack, Socket socket) {
    try {
      OutputStream out = socket.getOutputStream();
      out.write(
          (attack == Attack.HEADERS ? "x-more: " + "x".repeat(1_000) + "\r\n" : " ")
              .getBytes(UTF_8));
      return socket.getInputStream().available() == 0;
    } catch (IOException ended) {
      return false;
    }
  }

  private static long deep(Ports ports, Deadline done) throws IOException {
    byte[] body = "[".repeat(1_000_000).getBytes(UTF_8);
    long sent = 0;
    while (!done.isOver()) {
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), ports.http())) {
        OutputStream out = socket.getOutputStream();
        String head =
            "PUT "
                + POOL
                + "/policy"
                + HOST
                + "Connection: close\r\nContent-Length: "
                + body.length;
        out.write((head + "\r\n\r\n").getBytes(UTF_8));
        sent += refused(out, body, socket) ? 1 : 0;
      }
    }
    return sent;
  }

  private static boolean refused(OutputStream out, byte[] body, Socket socket) {
    try {
      out.write(body);
      return socket.getInputStream().read() >= 0;
    } catch (IOException ended) {
      // Refused before it was read to its end.
      return true;
    }
  }
}
