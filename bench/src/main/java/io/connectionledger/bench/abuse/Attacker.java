package io.connectionledger.bench.abuse;

import io.connectionledger.bench.process.LedgerProcess.Ports;
import io.connectionledger.bench.process.Subprocess;
import java.time.Duration;

/**
 * A process that attacks. Reads lines of an attack, seconds and the ports of the ledger, and
 * answers each with how often it did it.
 */
final class Attacker {

  private Attacker() {}

  public static void main(String[] args) throws Exception {
    Subprocess.answerEach(
        words ->
            Long.toString(
                Attack.valueOf(words[0])
                    .run(
                        ports(words), new Deadline(Duration.ofSeconds(Long.parseLong(words[1]))))));
  }

  /** The line that has it attack. */
  static String order(Attack attack, int seconds, Ports ports) {
    return String.join(
        " ",
        attack.name(),
        Integer.toString(seconds),
        Integer.toString(ports.kafka()),
        Integer.toString(ports.als()),
        Integer.toString(ports.authz()),
        Integer.toString(ports.http()),
        Integer.toString(ports.xds()));
  }

  private static Ports ports(String[] words) {
    return new Ports(
        Integer.parseInt(words[2]),
        Integer.parseInt(words[3]),
        Integer.parseInt(words[4]),
        Integer.parseInt(words[5]),
        Integer.parseInt(words[6]));
  }
}
