package io.connectionledger.app.kafka;

import io.connectionledger.app.config.StartupException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The directory of one instance's state. While it is open no other process can have it. Its file
 * {@code instance-id} marks it as ours and names the instance for as long as the directory lives.
 */
public final class DataDir implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(DataDir.class);

  private static final String INSTANCE_ID = "instance-id";
  private static final String NEW_INSTANCE_ID = ".instance-id.new";
  private static final String LOCK = ".lock";

  /**
   * What may lie there before we do: a crash between our first two files, a volume's own folder.
   */
  private static final Set<String> NOT_FOREIGN = Set.of(LOCK, NEW_INSTANCE_ID, "lost+found");

  private final Path path;
  private final FileChannel lock;
  private final UUID instanceId;

  private DataDir(Path path, FileChannel lock, UUID instanceId) {
    this.path = path;
    this.lock = lock;
    this.instanceId = instanceId;
  }

  /**
   * Creates the directory where there is none, and takes it.
   *
   * @throws StartupException when it cannot be written, belongs to something else (nothing is
   *     changed then), or is in use
   */
  public static DataDir open(Path path) {
    try {
      Files.createDirectories(path);
      refuseForeign(path);
      FileChannel lock = lock(path);
      try {
        return new DataDir(path.toAbsolutePath().normalize(), lock, instanceId(path));
      } catch (IOException | RuntimeException failed) {
        lock.close();
        throw failed;
      }
    } catch (IOException failed) {
      throw new StartupException(
          "data-dir is '"
              + path
              + "': allowed is a directory that can be written ("
              + reason(failed)
              + ")",
          failed);
    }
  }

  /** An absolute path below the directory. */
  public Path resolve(String name) {
    return path.resolve(name);
  }

  /** The same after every restart. */
  public UUID instanceId() {
    return instanceId;
  }

  /** Lets other processes have the directory. */
  @Override
  public void close() {
    try {
      lock.close();
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private static void refuseForeign(Path path) throws IOException {
    List<String> names = names(path);
    if (!names.contains(INSTANCE_ID) && !NOT_FOREIGN.containsAll(names)) {
      throw new StartupException(
          "data-dir is '"
              + path
              + "', which holds other files ("
              + names.stream().filter(name -> !NOT_FOREIGN.contains(name)).findFirst().orElse("")
              + "): allowed is an empty directory or one of an earlier run");
    }
  }

  private static List<String> names(Path path) throws IOException {
    try (Stream<Path> entries = Files.list(path)) {
      return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
    }
  }

  private static FileChannel lock(Path path) throws IOException {
    FileChannel channel =
        FileChannel.open(path.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (tryLock(channel) != null) {
        return channel;
      }
    } catch (IOException | RuntimeException failed) {
      channel.close();
      throw failed;
    }
    channel.close();
    throw new StartupException(
        "data-dir is '"
            + path
            + "', which another process is using: allowed is one directory for each instance");
  }

  private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException ofThisProcess) {
      return null;
    }
  }

  private static UUID instanceId(Path path) throws IOException {
    Path file = path.resolve(INSTANCE_ID);
    if (!Files.exists(file)) {
      writeInstanceId(path, file);
    } else if (Files.readString(file).isBlank()) {
      // A machine that lost its power kept the name of the file and not yet what was in it.
      LOGGER.atWarn().addKeyValue("file", file).log("The instance's id was lost, it gets another");
      writeInstanceId(path, file);
    }
    String text = Files.readString(file).strip();
    try {
      return UUID.fromString(text);
    } catch (IllegalArgumentException damaged) {
      throw new StartupException(
          file + " is damaged: allowed is the UUID that an earlier run wrote", damaged);
    }
  }

  private static void writeInstanceId(Path path, Path file) throws IOException {
    Path written = path.resolve(NEW_INSTANCE_ID);
    Files.writeString(written, UUID.randomUUID() + "\n");
    force(written, StandardOpenOption.WRITE);
    Files.move(written, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    force(path, StandardOpenOption.READ);
  }

  /** Has the disk take it, before anything relies on it. */
  private static void force(Path path, StandardOpenOption how) throws IOException {
    try (FileChannel channel = FileChannel.open(path, how)) {
      channel.force(true);
    }
  }

  /** What the system says, without the path that the caller names itself. */
  static String reason(IOException failed) {
    if (failed instanceof AccessDeniedException) {
      return "access denied";
    }
    if (failed instanceof FileSystemException system) {
      return system.getReason() == null
          ? "not a directory: " + system.getFile()
          : system.getReason();
    }
    return String.valueOf(failed.getMessage());
  }
}
