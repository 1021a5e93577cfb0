package io.connectionledger.app;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The Java files of every module. */
final class JavaSources {

  private static final Path ROOT = Path.of("..");

  private JavaSources() {}

  /** Those of main and test code. */
  static List<Path> all() throws IOException {
    List<Path> files = new ArrayList<>(main());
    files.addAll(tests());
    return files;
  }

  static List<Path> main() throws IOException {
    return below("src/main/java");
  }

  static List<Path> tests() throws IOException {
    return below("src/test/java");
  }

  private static List<Path> below(String sources) throws IOException {
    List<Path> modules;
    try (Stream<Path> entries = Files.list(ROOT)) {
      modules = entries.map(module -> module.resolve(sources)).filter(Files::isDirectory).toList();
    }
    List<Path> files = new ArrayList<>();
    for (Path module : modules) {
      try (Stream<Path> tree = Files.walk(module)) {
        tree.filter(file -> file.toString().endsWith(".java")).forEach(files::add);
      }
    }
    return files;
  }
}
