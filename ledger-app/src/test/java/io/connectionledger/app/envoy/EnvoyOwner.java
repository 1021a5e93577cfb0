package io.connectionledger.app.envoy;

import io.connectionledger.testkit.JavaCommands;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** A process that starts an Envoy, prints its process id and waits to be killed. */
final class EnvoyOwner {

  private EnvoyOwner() {}

  static Process launch(int ledgerPort, Path folder) throws IOException {
    return new ProcessBuilder(
            JavaCommands.of(
                List.of(), EnvoyOwner.class, Integer.toString(ledgerPort), folder.toString()))
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  public static void main(String[] arguments) throws Exception {
    int ledger = Integer.parseInt(arguments[0]);
    EnvoyProcess envoy =
        EnvoyProcess.start(
            EnvoyBinary.system().locate(),
            Path.of("..", "envoy", "envoy.yaml"),
            EnvoyOptions.of("owned", ledger, ledger, ledger),
            Path.of(arguments[1]));
    System.out.println(envoy.pid());
    System.out.flush();
    new CountDownLatch(1).await();
  }
}
