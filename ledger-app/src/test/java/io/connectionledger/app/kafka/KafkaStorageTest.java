package io.connectionledger.app.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.connectionledger.app.config.StartupException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class KafkaStorageTest {

  private static final UUID INSTANCE = new UUID(1, 2);

  @TempDir private Path temp;
  private Path logs;

  @BeforeEach
  void setUp() {
    logs = temp.resolve("kafka");
  }

  @Test
  void shouldFormatOnce() throws IOException {
    KafkaStorage first = KafkaStorage.open(logs, INSTANCE);
    String written = Files.readString(logs.resolve("meta.properties"));

    KafkaStorage second = KafkaStorage.open(logs, INSTANCE);

    assertThat(second.clusterId()).isEqualTo(first.clusterId());
    assertThat(logs.resolve("meta.properties")).hasContent(written);
  }

  @Test
  void shouldFormatAgainAfterAKillDuringTheFormat() throws IOException {
    Files.createDirectories(temp.resolve("kafka.new/half"));
    Files.createFile(temp.resolve("kafka.new/half/done"));

    KafkaStorage.open(logs, INSTANCE);

    assertThat(logs.resolve("meta.properties")).exists();
    assertThat(temp.resolve("kafka.new")).doesNotExist();
  }

  @Test
  void shouldRefuseTheLogsOfAnotherCluster() throws IOException {
    KafkaStorage.open(logs, INSTANCE);
    String written = Files.readString(logs.resolve("meta.properties"));

    assertThatThrownBy(() -> KafkaStorage.open(logs, new UUID(3, 4)))
        .isInstanceOf(StartupException.class)
        .hasMessage(
            "data-dir: "
                + logs
                + " belongs to node 1 of the Kafka cluster 'AAAAAAAAAAEAAAAAAAAAAg': allowed is an"
                + " empty directory or one of ours");
    assertThat(logs.resolve("meta.properties")).hasContent(written);
  }

  @Test
  void shouldRefuseTheLogsOfAnotherNode() throws IOException {
    KafkaStorage.open(logs, INSTANCE);
    Path meta = logs.resolve("meta.properties");
    Files.writeString(meta, Files.readString(meta).replace("node.id=1", "node.id=7"));

    assertThatThrownBy(() -> KafkaStorage.open(logs, INSTANCE))
        .isInstanceOf(StartupException.class)
        .hasMessageContaining("belongs to node 7");
  }

  @Test
  void shouldRefuseOtherFilesAndChangeNothing() throws IOException {
    Files.createDirectory(logs);
    Files.createFile(logs.resolve("photo.jpg"));

    assertThatThrownBy(() -> KafkaStorage.open(logs, INSTANCE))
        .isInstanceOf(StartupException.class)
        .hasMessageContaining("holds files, but no readable meta.properties");
    assertThat(logs.toFile().list()).containsExactly("photo.jpg");
  }
}
