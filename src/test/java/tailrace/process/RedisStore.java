package tailrace.process;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import redis.embedded.core.ExecutableProvider;

/** A Redis of one test's own, in a directory that keeps what it was told until it is emptied. */
final class RedisStore implements Store {
    private final Path dataDir;
    private final Path program;
    private int port;
    private Process process;
    private List<ProcessHandle> frozen = List.of();

    /** Made and started in this directory. */
    RedisStore(Path dataDir) throws Exception {
        Files.createDirectories(dataDir);
        this.dataDir = Files.createDirectories(dataDir.resolve("data"));
        this.program = ExecutableProvider.newJarResourceProvider(dataDir.toFile())
                .get()
                .toPath()
                .toAbsolutePath();
        start();
    }

    /** As configuration has it, through another port of this machine. */
    static String urlText(int port) {
        return "redis://127.0.0.1:" + port;
    }

    @Override
    public String name() {
        return "redis";
    }

    @Override
    public int port() {
        return port;
    }

    @Override
    public void start() throws Exception {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        process = new ProcessBuilder(
                        program.toString(),
                        "--port",
                        Integer.toString(port),
                        "--bind",
                        "127.0.0.1",
                        "--dir",
                        dataDir.toString(),
                        "--save",
                        "",
                        "--appendonly",
                        "yes")
                .redirectErrorStream(true)
                .redirectOutput(dataDir.resolveSibling("redis.log").toFile())
                .start();
        AwaitCondition.until("Redis answers", () -> {
            if (!process.isAlive()) {
                throw new IllegalStateException(Files.readString(dataDir.resolveSibling("redis.log")));
            }
            return command("PING").equals("+PONG");
        });
    }

    /** One line of what Redis answers to one line. */
    private String command(String line) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(5_000);
            socket.getOutputStream().write((line + "\r\n").getBytes(StandardCharsets.US_ASCII));
            byte[] answer = new byte[256];
            int length = socket.getInputStream().read(answer);
            return new String(answer, 0, Math.max(0, length), StandardCharsets.US_ASCII).strip();
        }
    }

    @Override
    public void stop() throws Exception {
        process.destroy();
        process.waitFor();
    }

    @Override
    public void kill() throws Exception {
        process.destroyForcibly().waitFor();
    }

    @Override
    public void freeze() throws Exception {
        frozen = Signals.freeze(process.toHandle());
    }

    @Override
    public void thaw() throws Exception {
        Signals.thaw(frozen);
        frozen = List.of();
    }

    private void flush() throws IOException {
        String answer = command("FLUSHALL");
        if (!answer.equals("+OK")) {
            throw new IOException("FLUSHALL: " + answer);
        }
    }

    private void killAndEmpty() throws Exception {
        kill();
        try (var files = Files.walk(dataDir)) {
            for (Path file : files.sorted(Comparator.reverseOrder())
                    .filter(file -> !file.equals(dataDir))
                    .toList()) {
                Files.delete(file);
            }
        }
    }

    @Override
    public List<Fault> ownFaults(Fault.Step restart) {
        return List.of(
                new Fault(name(), "flushed", this::flush, () -> {}, 0, 500),
                new Fault(name(), "exchanged for an empty one", this::killAndEmpty, restart, 0, 3_000));
    }

    @Override
    public void close() throws Exception {
        thaw();
        kill();
    }
}
