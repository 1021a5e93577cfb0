package io.connectionledger.app.config;

/**
 * A setting is wrong; the message names the key, the value, where it was set and what is allowed.
 */
public final class ConfigException extends StartupException {

  private static final long serialVersionUID = 1L;

  public ConfigException(String message) {
    super(message);
  }

  public ConfigException(String message, Throwable cause) {
    super(message, cause);
  }
}
