package io.connectionledger.app.cli;

import java.io.PrintWriter;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code ledger completion}: what a shell must read to complete the others. */
@Command(
    name = "completion",
    description = "Prints what makes a shell complete commands and options.",
    footer = {
      "",
      "bash:  source <(ledger completion bash)      zsh:  source <(ledger completion zsh)",
      "In ~/.bashrc or ~/.zshrc it works in every new shell."
    })
public final class CompletionCommand implements Callable<Integer> {

  private static final String BASH = "bash";
  private static final String ZSH = "zsh";

  private final Supplier<CommandLine> all;

  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "SHELL",
      description = "bash or zsh.",
      completionCandidates = Shells.class)
  private @Nullable String shell;

  /**
   * The command.
   *
   * @param all makes the command line with every command
   */
  @SuppressWarnings("NullAway.Init") // picocli sets spec
  public CompletionCommand(Supplier<CommandLine> all) {
    this.all = all;
  }

  /** The shells that there is a completion for. */
  static final class Shells implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return List.of(BASH, ZSH).iterator();
    }
  }

  @Override
  public Integer call() throws FailedException {
    PrintWriter out = spec.commandLine().getOut();
    switch (Objects.requireNonNull(shell)) {
      case BASH -> {
        // The script is one for both.
      }
      case ZSH -> out.println("autoload -U +X compinit && compinit");
      default ->
          throw FailedException.wrongUsage("SHELL is '" + shell + "': allowed is bash or zsh");
    }
    out.println(AutoComplete.bash("ledger", all.get()));
    out.flush();
    return 0;
  }
}
