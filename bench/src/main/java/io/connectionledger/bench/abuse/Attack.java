package io.connectionledger.bench.abuse;

import io.connectionledger.bench.process.LedgerProcess.Ports;

/** One way to do harm, by a process that does nothing else. */
enum Attack {
  QUIET("nothing"),
  SLOW_BODIES("400 bodies of HTTP requests, a byte a second"),
  HEADERS("HTTP requests whose headers never end"),
  NOT_READING("400 event streams that nobody reads"),
  DEEP_JSON("policies of a million brackets"),
  HUGE_MESSAGES("access-log messages of 8 MiB"),
  INVENTED("access-log streams of invented Envoys with 100 invented connections each"),
  FORGED_FAILURES("failed handshakes that nobody reserved"),
  IDLE_STREAMS("access-log streams that say nothing"),
  HUGE_METADATA("checks with 512 KiB of metadata"),
  REJECTED("checks of a pool that is full, as fast as they are answered"),
  GREEDY_ENVOYS("streams of endpoints that ask for more and more names"),
  POISON("records that are none, in every topic that is read");

  private final String label;

  Attack(String label) {
    this.label = label;
  }

  String label() {
    return label;
  }

  /**
   * Does it until {@code done}.
   *
   * @return how often it did
   */
  long run(Ports ports, Deadline done) throws Exception {
    return switch (this) {
      case QUIET -> 0;
      case SLOW_BODIES, HEADERS, NOT_READING, DEEP_JSON -> HttpAttacks.run(this, ports, done);
      case HUGE_MESSAGES, INVENTED, FORGED_FAILURES, IDLE_STREAMS ->
          LogAttacks.run(this, ports, done);
      case HUGE_METADATA -> Http2Attack.run(ports, done);
      case REJECTED -> CheckAttacks.rejected(ports, done);
      case GREEDY_ENVOYS -> EndpointsAttack.run(ports, done);
      case POISON -> PoisonAttack.run(ports, done);
    };
  }
}
