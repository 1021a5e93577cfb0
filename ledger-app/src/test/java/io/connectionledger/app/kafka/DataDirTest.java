package io.connectionledger.app.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.connectionledger.app.config.StartupException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DataDirTest {

  @TempDir private Path temp;

  @Test
  void shouldKeepTheInstanceIdOverRestarts() {
    Path path = temp.resolve("new/data");
    UUID first;
    try (DataDir dir = DataDir.open(path)) {
      first = dir.instanceId();
    }

    try (DataDir dir = DataDir.open(path)) {
      assertThat(dir.instanceId()).isEqualTo(first);
      assertThat(dir.resolve("kafka")).isEqualTo(path.resolve("kafka")).isAbsolute();
    }
  }

  @Test
  void shouldBeTakenOnce() {
    try (DataDir dir = DataDir.open(temp)) {
      assertThat(dir.instanceId()).isNotNull();
      assertThatThrownBy(() -> DataDir.open(temp))
          .isInstanceOf(StartupException.class)
          .hasMessage(
              "data-dir is '"
                  + temp
                  + "', which another process is using: allowed is one directory for each"
                  + " instance");
    }
  }

  @Test
  void shouldRefuseAForeignDirectoryAndChangeNothing() throws IOException {
    Files.writeString(temp.resolve("thesis.txt"), "years of work");

    assertThatThrownBy(() -> DataDir.open(temp))
        .isInstanceOf(StartupException.class)
        .hasMessage(
            "data-dir is '"
                + temp
                + "', which holds other files (thesis.txt): allowed is an empty directory or one"
                + " of an earlier run");
    assertThat(temp).isDirectoryContaining("glob:**thesis.txt");
    assertThat(temp.toFile().list()).hasSize(1);
  }

  @Test
  void shouldTakeADirectoryThatAKillOrAVolumeLeftAlmostEmpty() throws IOException {
    Files.createFile(temp.resolve(".lock"));
    Files.createFile(temp.resolve(".instance-id.new"));
    Files.createDirectory(temp.resolve("lost+found"));

    try (DataDir dir = DataDir.open(temp)) {
      assertThat(dir.instanceId()).isNotNull();
    }
  }

  @Test
  void shouldRefuseAPathThatCannotBeWritten() throws IOException {
    Path file = Files.createFile(temp.resolve("file"));

    assertThatThrownBy(() -> DataDir.open(file.resolve("data")))
        .isInstanceOf(StartupException.class)
        .message()
        .startsWith(
            "data-dir is '"
                + file.resolve("data")
                + "': allowed is a directory that can be written")
        .hasLineCount(1);
    assertThatThrownBy(() -> DataDir.open(file))
        .isInstanceOf(StartupException.class)
        .hasMessageStartingWith("data-dir is '" + file + "'");
  }

  /** A machine without power keeps the name of a file whose content it had not written yet. */
  @Test
  void shouldStartWithAnotherIdWhereTheFileIsEmpty() throws IOException {
    Files.createFile(temp.resolve("instance-id"));
    UUID first;
    try (DataDir dir = DataDir.open(temp)) {
      first = dir.instanceId();
    }

    try (DataDir dir = DataDir.open(temp)) {
      assertThat(dir.instanceId()).isEqualTo(first);
    }
    assertThat(temp.resolve(".instance-id.new")).doesNotExist();
  }

  @Test
  void shouldRefuseADamagedInstanceId() throws IOException {
    Files.writeString(temp.resolve("instance-id"), "42");

    assertThatThrownBy(() -> DataDir.open(temp))
        .isInstanceOf(StartupException.class)
        .hasMessageContaining("is damaged");
    // Then the lock is free again
    Files.writeString(temp.resolve("instance-id"), UUID.randomUUID().toString());
    DataDir.open(temp).close();
  }
}
