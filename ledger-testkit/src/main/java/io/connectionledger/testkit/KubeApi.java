package io.connectionledger.testkit;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A Kubernetes control plane on loopback: etcd, API server, controllers, scheduler and nodes that
 * pretend to run pods. All are real but the nodes. It is started by the scripts of the folder that
 * the system property {@code kube-api} names, by default {@code ../shared/tools/kube-api} beside
 * the repository; its README says what there is. Not thread-safe.
 */
public final class KubeApi implements AutoCloseable {

  private static final String FOLDER = "kube-api";
  private static final String API_SERVER = "apiserver";
  private static final int READY_SECONDS = 120;
  private static final int STEP_MS = 100;

  private final Path scripts;
  private final Path folder;
  private final int port;
  private final Thread hook = new Thread(this::stop, "stop-kube-api");

  private KubeApi(Path scripts, Path folder, int port) {
    this.scripts = scripts;
    this.folder = folder;
    this.port = port;
  }

  /**
   * Starts one that is empty, on free ports, and returns when all of it is ready.
   *
   * @param folder its data, keys and logs; stays when it is closed
   * @param options of the start script, {@code "--only-api"} or {@code "--apiserver-flag",
   *     "--goaway-chance=0.01"} for example
   */
  public static KubeApi start(Path folder, String... options)
      throws IOException, InterruptedException {
    Path parent = Files.createDirectories(folder.toAbsolutePath());
    KubeApi api = new KubeApi(scripts(), parent, FreePorts.one());
    List<String> command = new ArrayList<>();
    command.add(api.scripts.resolve("start").toString());
    command.addAll(List.of("--dir", parent.toString(), "--port", Integer.toString(api.port)));
    command.addAll(List.of("--etcd-port", Integer.toString(firstOfTwoFreePorts())));
    command.addAll(List.of(options));
    // What a run that was killed has left.
    api.stop();
    Runtime.getRuntime().addShutdownHook(api.hook);
    api.run(command);
    return api;
  }

  private static Path scripts() throws IOException {
    String named = System.getProperty(FOLDER);
    Path scripts = named == null ? Path.of("..", "..", "shared", "tools", FOLDER) : Path.of(named);
    if (!Files.isExecutable(scripts.resolve("start"))) {
      throw new IOException(
          "no Kubernetes control plane to start in "
              + scripts.toAbsolutePath().normalize()
              + ": -Dkube-api=FOLDER names the folder with its start script");
    }
    return scripts.toAbsolutePath().normalize();
  }

  /** etcd has its clients on a port and its peers on the next. */
  private static int firstOfTwoFreePorts() throws IOException {
    for (int attempt = 0; attempt < 100; attempt++) {
      int first = FreePorts.one();
      if (isFree(first + 1)) {
        return first;
      }
    }
    throw new IOException("no two free ports in a row");
  }

  private static boolean isFree(int port) {
    try (ServerSocket unused = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return true;
    } catch (IOException | IllegalArgumentException taken) {
      return false;
    }
  }

  /** The file that lets a client in as one who may do everything. */
  public Path kubeconfig() {
    return folder.resolve("kubeconfig");
  }

  public String url() {
    return "https://127.0.0.1:" + port;
  }

  /** Ends the API server as a crash does. All else goes on, and what is stored stays. */
  public void killApiServer() throws IOException, InterruptedException {
    long pid = apiServer();
    Files.writeString(folder.resolve("apiserver.command"), commandOf(pid));
    // Where nobody waits for orphans it stays as a zombie, which Java takes for alive.
    run(
        List.of(
            "bash",
            "-c",
            """
            kill -KILL "$1"
            until [[ ! -e /proc/$1 || $(cut -d ' ' -f 3 "/proc/$1/stat") == Z ]]; do sleep 0.05; done
            """,
            "kill",
            Long.toString(pid)));
  }

  /** Holds the API server, which then neither answers nor ends connections, or lets it go on. */
  public void pauseApiServer(boolean pause) throws IOException, InterruptedException {
    run(List.of("kill", pause ? "-STOP" : "-CONT", Long.toString(apiServer())));
  }

  /** Starts the API server that was killed once more, and returns when it is ready. */
  public void startApiServer() throws IOException, InterruptedException {
    List<String> command =
        List.of(Files.readString(folder.resolve("apiserver.command")).split("\0"));
    Path log = folder.resolve("log").resolve("apiserver.log");
    Process server =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
    note(server.pid());
    for (int waitedMs = 0; !isReady(); waitedMs += STEP_MS) {
      if (server.waitFor(STEP_MS, TimeUnit.MILLISECONDS) || waitedMs > READY_SECONDS * 1_000) {
        throw new IOException("the API server does not come back; see " + log);
      }
    }
  }

  private boolean isReady() throws IOException, InterruptedException {
    return new ProcessBuilder(
                "curl",
                "--fail",
                "--silent",
                "--max-time",
                "5",
                "--noproxy",
                "*",
                "--cacert",
                folder.resolve("keys").resolve("ca.crt").toString(),
                url() + "/readyz")
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start()
            .waitFor()
        == 0;
  }

  /** The id of its process. */
  private long apiServer() throws IOException {
    for (String line : Files.readAllLines(pids())) {
      String[] words = line.split(" ", -1);
      if (words[0].equals(API_SERVER)) {
        return Long.parseLong(words[1]);
      }
    }
    throw new IOException("no API server is noted in " + pids());
  }

  /** Puts the API server's process into what the stop script reads. */
  private void note(long pid) throws IOException {
    String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
    // Its start time, the 22nd field; the second is a name in brackets that may have spaces.
    String begun = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[19];
    List<String> lines = new ArrayList<>(Files.readAllLines(pids()));
    lines.replaceAll(
        line -> line.startsWith(API_SERVER + " ") ? API_SERVER + " " + pid + " " + begun : line);
    Files.write(pids(), lines);
  }

  private Path pids() {
    return folder.resolve("pids");
  }

  private static String commandOf(long pid) throws IOException {
    return Files.readString(Path.of("/proc", Long.toString(pid), "cmdline"));
  }

  private void run(List<String> command) throws IOException, InterruptedException {
    Path log = folder.resolve("scripts.log");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
    if (process.waitFor() != 0) {
      throw new IOException(command + " failed; see " + log);
    }
  }

  /** Ends all of it. */
  @Override
  public void close() {
    boolean unused = Runtime.getRuntime().removeShutdownHook(hook);
    stop();
  }

  private void stop() {
    try {
      run(List.of(scripts.resolve("stop").toString(), "--dir", folder.toString()));
    } catch (IOException e) {
      throw new IllegalStateException("the control plane in " + folder + " may still run", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
