package io.connectionledger.app.faults;

import io.connectionledger.app.e2e.Fleet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** Makes of an Envoy one whose wall clock is wrong; needs a C compiler ({@code cc}). */
final class OffsetClock {

  private OffsetClock() {}

  /**
   * A script in {@code folder} that is used like {@code program}.
   *
   * @param seconds that its clock is ahead; negative for behind
   */
  static Path over(Path program, long seconds, Path folder)
      throws IOException, InterruptedException {
    Path library = folder.resolve("clock_offset.so");
    Process compiler =
        new ProcessBuilder(
                "cc",
                "-shared",
                "-fPIC",
                "-O2",
                "-o",
                library.toString(),
                Fleet.ROOT.resolve("ledger-app/src/test/c/clock_offset.c").toString())
            .inheritIO()
            .start();
    if (compiler.waitFor() != 0) {
      throw new IOException("cc ended with " + compiler.exitValue());
    }
    Path script =
        Files.writeString(
            folder.resolve("envoy" + seconds),
            """
            #!/bin/sh
            LD_PRELOAD='%s' CLOCK_OFFSET=%d exec '%s' "$@"
            """
                .formatted(library, seconds, program));
    return Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
  }
}
