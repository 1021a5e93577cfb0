package io.connectionledger.app.cli;

import io.connectionledger.admission.TrainingChecks;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Sends checks to a ledger of this machine that the script {@code ledger} has started for Java to
 * learn from: its later starts have at once what this one learned from them.
 */
@Command(name = "train", hidden = true, description = "Prepares fast starts of serve.")
public final class TrainCommand implements Callable<Integer> {

  @Option(names = "--authz", required = true, paramLabel = "PORT", description = "Its authz.port.")
  private int authzPort;

  @Option(
      names = "--pool",
      required = true,
      paramLabel = "POOL",
      description = "A pool of it with room for some thousand connections.")
  private String pool = "";

  @Override
  public Integer call() {
    TrainingChecks.send(authzPort, pool);
    return 0;
  }
}
