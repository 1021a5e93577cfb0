package io.connectionledger.app.image;

import io.connectionledger.app.e2e.Fleet;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Builds images with {@code k8s/image}, out of what is on this machine. */
final class Images {

  static final String LEDGER = "connection-ledger:test";
  static final String ENVOY = "ledger-envoy:test";
  private static final String BASE = "ledger-java:test";

  private Images() {}

  /** All that the test runs; what it builds replaces what an earlier run built. */
  static void build() throws IOException, InterruptedException {
    run("base", "--tag", BASE);
    run("ledger", "--base", BASE, "--tag", LEDGER);
    run("envoy", "--tag", ENVOY);
  }

  private static void run(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Fleet.ROOT.resolve("k8s/image").toString());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    Process process = builder.start();
    String said;
    try (var output = process.getInputStream()) {
      said = new String(output.readAllBytes(), StandardCharsets.UTF_8);
    }
    if (process.waitFor() != 0) {
      throw new IOException(
          String.join(" ", command) + " ended with " + process.exitValue() + ": " + said);
    }
  }
}
