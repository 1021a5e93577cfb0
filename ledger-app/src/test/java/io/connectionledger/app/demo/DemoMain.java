package io.connectionledger.app.demo;

import java.nio.file.Path;
import picocli.CommandLine;

/** The demo as a process of its own, around the naive ledger. */
final class DemoMain {

  private DemoMain() {}

  public static void main(String[] arguments) {
    System.exit(
        new CommandLine(
                new DemoCommand(
                    (policy, heartbeat) -> new NaiveLedger(policy, 0),
                    Path.of("..", "envoy", "envoy.yaml")))
            .execute(arguments));
  }
}
