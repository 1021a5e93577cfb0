package io.connectionledger.app.history;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.connectionledger.app.cli.CommandLines;
import io.connectionledger.app.cli.CommandRuns;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.policy.PoolPolicy.Mode;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.model.view.PoolView.State;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

final class HistoryCommandsTest {

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int execute(Object command, String args) {
    return CommandRuns.execute(
        CommandLines.of(new CommandLine(command)), out, err, args.split(" "));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "--pool chat | Missing required option: '--at=MOMENT'",
        "--at yesterday | 'yesterday': allowed is a moment such as 2026-11-21T12:00:00Z, or how",
        "--at -5d | '-5d': allowed is a moment such as",
        "--at 2999-01-01T00:00:00Z | --at is 2999-01-01T00:00:00Z: allowed is a moment that has",
        "--at -5m --pool .. | --pool is '..': allowed are 1 to 128 letters",
        "--at -5m --output xml | --output is 'xml': allowed is table or json",
        "--at -5m --warm-up long | --warm-up is 'long': allowed is a duration, written as 500ms",
        "--at -5m --config no.yaml | the configuration no.yaml does not exist",
      })
  void shouldRefuseAReplayThatCannotBeInOneLine(String args, String line) {
    assertThat(execute(new ReplayCommand(), args)).isEqualTo(2);
    assertThat(err.toString()).startsWith("ledger: ").contains(line).hasLineCount(1);
    assertThat(out.toString()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "--window 5m | 2 | Missing required option: '--pool=POOL'",
        "--pool chat burst | 2 | 'burst': allowed is KEY=VALUE",
        "--pool chat --output xml | 2 | --output is 'xml': allowed is table or json",
        "--pool chat --url http://127.0.0.1:1 | 1 | http://127.0.0.1:1 cannot be asked",
      })
  void shouldRefuseASimulationThatCannotBeInOneLine(String args, int code, String line) {
    assertThat(execute(new SimulateCommand(), args)).isEqualTo(code);
    assertThat(err.toString()).startsWith("ledger: ").contains(line).hasLineCount(1);
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void shouldPrintWhatOtherLimitsWouldHaveDone() throws Exception {
    List<String> lines =
        SimulateCommand.lines(
            new ObjectMapper()
                .readTree(
                    """
                    {"pool":"chat","from":"A","to":"B",
                     "recorded":{"attempts":6,"admitted":4,"rejected":{"pod_limit":2},
                      "pods":[{"pod":"one","peak":3}]},
                     "repeated":{"attempts":6,"admitted":5},
                     "simulated":{"attempts":6,"admitted":3,"rejected":{"rate_limited":3},
                      "pods":[{"pod":"one","peak":2},{"pod":"two","peak":1}]},
                     "assumptions":["It is so."]}"""));

    assertThat(lines)
        .containsExactly(
            "chat, A to B",
            "                                 RECORDED  SIMULATED",
            "  attempts                              6          6",
            "  admitted                              4          3",
            "  pod_limit                             2          0",
            "  rate_limited                          0          3",
            "  peak of one                           3          2",
            "  peak of two                           0          1",
            "The same calculation with the recorded limits admits 5: so far it may be off.",
            "- It is so.");
  }

  @Test
  void shouldPrintAPoolAsItWas() {
    PoolView view =
        new PoolView(
            "chat",
            1_700_000_000_123L,
            Mode.ENFORCE,
            12,
            1,
            List.of(
                new PodView(
                    "pod-1", PodAddress.parse("10.0.0.1:80"), 12, 1, 200, State.AVAILABLE)));

    assertThat(PoolText.lines(view))
        .containsExactly(
            "chat: 12 active, 1 reserved at 2023-11-14T22:13:20.123Z",
            "  POD    ADDRESS       ACTIVE  RESERVED     LIMIT  STATE",
            "  pod-1  10.0.0.1:80       12         1       200  available");
    assertThat(PoolText.json(view))
        .hasToString(
            """
            {"pool":"chat","asOf":"2023-11-14T22:13:20.123Z","mode":"enforce","active":12,\
            "reserved":1,"unreported":0,"unleased":0,\
            "pods":[{"pod":"pod-1","address":"10.0.0.1:80","active":12,"reserved":1,\
            "limit":200,"state":"available","overLimit":false}]}""");
  }

  @Test
  void shouldDrawABarOnATerminalAndLinesSeldomOtherwise() {
    AtomicLong nowNanos = new AtomicLong();
    ProgressBar bar = new ProgressBar(new PrintWriter(out, true), true, nowNanos::get);
    ProgressBar lines = new ProgressBar(new PrintWriter(err, true), false, nowNanos::get);
    for (long read = 0; read <= 1_000; read += 100) {
      bar.show(read, 1_000);
      lines.show(read, 1_000);
      nowNanos.addAndGet(Duration.ofSeconds(1).toNanos());
    }

    assertThat(out.toString())
        .contains("\r[####################                    ]  50 % of 1,000 records")
        .endsWith("\r\033[K");
    assertThat(err.toString().lines())
        .containsExactly("reading: 50 % of 1,000 records", "reading: 100 % of 1,000 records");
  }
}
