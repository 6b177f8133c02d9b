package tailrace.process;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tailrace.config.TailraceConfig;
import tailrace.postgres.LentPrograms;
import tailrace.security.Role;
import tailrace.security.Tokens;

/** {@code java -jar target/tailrace.jar serve} in a process of its own, to be used, killed and started again. */
public final class ServerProcess implements AutoCloseable {
    static final String SECRET = "a secret of the tests, long enough for HS256 and worth nothing";

    private static final Pattern READY = Pattern.compile("is ready: (https?://127\\.0\\.0\\.1:\\d+)");
    private static final AtomicInteger STARTS = new AtomicInteger();
    private static final Duration START_TIMEOUT = Duration.ofSeconds(120);

    private final Path dataDir;
    private final Map<String, String> environment = new HashMap<>();
    private final List<String> jvmOptions = new ArrayList<>();
    private boolean asShipped = Soak.on();
    private boolean underLoad;
    private Process process;
    private Path log;
    private volatile URI base;

    private ServerProcess(Path dataDir) {
        this.dataDir = dataDir;
        environment.put("TAILRACE_DATA_DIR", dataDir.toString());
        environment.put("JWT_SECRET", SECRET);
        environment.put("PORT", "0");
        jvmOptions.add("-Xmx384m");
    }

    /** A server on this data directory, not started yet; embedded PostgreSQL unless {@link #env} says otherwise. */
    public static ServerProcess in(Path dataDir) {
        return new ServerProcess(dataDir);
    }

    public ServerProcess env(String key, String value) {
        environment.put(key, value);
        return this;
    }

    public ServerProcess jvm(String option) {
        jvmOptions.add(option);
        return this;
    }

    /** With both compilers of the JVM: for a test of what a server bears. */
    public ServerProcess underLoad() {
        underLoad = true;
        return this;
    }

    /** With nothing that lets it start sooner. */
    public ServerProcess asShipped() {
        asShipped = true;
        return this;
    }

    /** Starts it and waits until it says that it is ready. */
    public ServerProcess start() throws Exception {
        launch();
        long until = System.nanoTime() + START_TIMEOUT.toNanos();
        while (System.nanoTime() < until) {
            Matcher ready = READY.matcher(output());
            if (ready.find()) {
                base = URI.create(ready.group(1));
                return this;
            }
            if (process.waitFor(50, TimeUnit.MILLISECONDS)) {
                throw new IllegalStateException("the server ended with " + process.exitValue() + ":\n" + output());
            }
        }
        kill(); // nobody will close what did not start
        throw new IllegalStateException("the server is not ready:\n" + output());
    }

    /** Starts it and waits until it has ended by itself; its exit code. For starts that must be refused. */
    public int startExpectingEnd() throws Exception {
        launch();
        if (!process.waitFor(START_TIMEOUT.toSeconds(), TimeUnit.SECONDS)) {
            kill();
            throw new IllegalStateException("the server did not end:\n" + output());
        }
        return process.exitValue();
    }

    private void launch() throws IOException {
        if (!asShipped && !environment.containsKey("DATABASE_URL")) {
            LentPrograms.to(dataDir);
        }
        // A file for each process, also where two share a data directory.
        log = dataDir.resolveSibling(dataDir.getFileName() + "-serve-" + STARTS.incrementAndGet() + ".log");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        if (!asShipped) {
            command.addAll(underLoad ? QuickJvm.underLoad() : QuickJvm.shortLived());
        }
        command.addAll(jvmOptions);
        command.addAll(List.of("-jar", QuickJvm.JAR.toString(), "serve"));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .directory(dataDir.getParent().toFile());
        builder.environment().putAll(environment);
        process = builder.start();
    }

    public URI base() {
        return base;
    }

    public long pid() {
        return process.pid();
    }

    public Path dataDir() {
        return dataDir;
    }

    /** What it printed since its last start. */
    public String output() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** SIGKILL to the server alone; the embedded PostgreSQL is orphaned. */
    public void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /** SIGTERM; its exit code. */
    public int terminate() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            throw new IllegalStateException("the server does not stop:\n" + output());
        }
        return process.exitValue();
    }

    public boolean alive() {
        return process != null && process.isAlive();
    }

    /** The postmaster of the embedded PostgreSQL, if it runs. */
    public Optional<ProcessHandle> postmaster() throws IOException {
        Path pidFile = dataDir.resolve("postgres").resolve("postmaster.pid");
        if (!Files.exists(pidFile)) {
            return Optional.empty();
        }
        long pid = Long.parseLong(Files.readAllLines(pidFile).get(0).strip());
        return ProcessHandle.of(pid).filter(ProcessHandle::isAlive);
    }

    public static String serviceToken() {
        return tokens().mint(Role.SERVICE_ROLE, Optional.empty(), Duration.ofHours(2));
    }

    public static String userToken(String subject) {
        return tokens().mint(Role.AUTHENTICATED, Optional.of(subject), Duration.ofHours(2));
    }

    public static Tokens tokens() {
        return new Tokens(new TailraceConfig.Secret(SECRET), Optional.empty(), Optional.empty(), Clock.systemUTC());
    }

    /** Ends the server in order, and whatever a killed one left behind. */
    @Override
    public void close() throws Exception {
        if (alive()) {
            terminate();
        }
        Optional<ProcessHandle> orphan = postmaster();
        if (orphan.isPresent()) {
            orphan.get().destroyForcibly();
            orphan.get().onExit().get(30, TimeUnit.SECONDS);
        }
    }
}
