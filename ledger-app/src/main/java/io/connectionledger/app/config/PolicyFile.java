package io.connectionledger.app.config;

import io.connectionledger.model.policy.PoolPolicy;
import java.nio.file.Path;
import java.util.Map;

/**
 * Reads the policy file: pools as they stand under {@code pools} of the configuration, in a file of
 * their own that may change while the ledger runs. The environment does not touch them.
 */
public final class PolicyFile {

  private PolicyFile() {}

  /**
   * What {@code file} says now.
   *
   * @throws ConfigException when it cannot be read
   */
  public static String text(Path file) {
    return ConfigLoader.text("the policy file", file);
  }

  /**
   * The pools of {@link #text}, by name.
   *
   * @param name what errors call the text
   * @throws ConfigException when anything in it is wrong
   */
  public static Map<String, PoolPolicy> parse(String yaml, String name) {
    return ConfigLoader.pools(Settings.readPools(yaml, name));
  }

  /** {@link #parse} of {@link #text}. */
  public static Map<String, PoolPolicy> read(Path file) {
    return parse(text(file), file.toString());
  }
}
