package tailrace.postgres;

import com.sun.security.auth.module.UnixSystem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs PostgreSQL's own programs on one database directory. Everything blocks. {@code pg_ctl} gives the postmaster a
 * session of its own, so a Ctrl-C at our terminal does not stop it before our last flush.
 */
final class PostgresProcess {
    private static final Logger LOG = LoggerFactory.getLogger(PostgresProcess.class);
    private static final int START_TIMEOUT_SECONDS = 120;
    private static final int STOP_TIMEOUT_SECONDS = 60;
    private static final int PROGRAM_TIMEOUT_SECONDS = 180;
    private static final int LOG_TAIL_CHARS = 2_000;

    private final Path programs;
    private final Path cluster;
    private final List<String> prefix;
    private final Path startLog;
    private volatile int port;
    private volatile long pid = -1;

    /**
     * @param programs the directory of {@code pg_ctl}
     * @param prefix from {@link #privilegePrefix}
     * @param logDir where the output of a start goes
     */
    PostgresProcess(Path programs, Path cluster, List<String> prefix, Path logDir) {
        this.programs = programs;
        this.cluster = cluster;
        this.prefix = prefix;
        this.startLog = logDir.resolve("postgres-start.log");
    }

    /**
     * What to put before a program: nothing, or for root a user namespace in which we are nobody, because PostgreSQL
     * refuses root.
     *
     * @throws EmbeddedPostgresException for root where the machine forbids user namespaces
     */
    static List<String> privilegePrefix() throws IOException {
        if (new UnixSystem().getUid() != 0) {
            return List.of();
        }
        List<String> unshare = List.of("unshare", "-U");
        List<String> command = new ArrayList<>(unshare);
        command.addAll(List.of("id", "-u"));
        String why;
        try {
            Output output = run(command);
            if (output.status() == 0 && !output.text().strip().equals("0")) {
                return unshare;
            }
            why = output.text().strip();
        } catch (IOException e) {
            why = String.valueOf(e.getMessage());
        }
        throw new EmbeddedPostgresException("PostgreSQL does not run as root, and 'unshare -U' is forbidden here ("
                + why + "); start as another user");
    }

    int port() {
        return port;
    }

    long pid() {
        return pid;
    }

    /** Makes a database that asks everybody for a password. */
    void initdb(Path into, String superuser, Path passwordFile) throws IOException {
        Output output = run(command(
                "initdb",
                "-D",
                into.toString(),
                "-U",
                superuser,
                "--pwfile=" + passwordFile,
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--data-checksums",
                "--no-instructions"));
        if (output.status() != 0) {
            throw new EmbeddedPostgresException(
                    "initdb failed: " + output.text().strip());
        }
    }

    /**
     * Returns once it answers; a recovery after a crash is waited for.
     *
     * @throws EmbeddedPostgresException with the end of its log if it does not start
     */
    void start(int onPort) throws IOException {
        Files.deleteIfExists(startLog);
        String options = String.join(
                " ",
                "-p " + onPort,
                "-c listen_addresses=127.0.0.1",
                "-c unix_socket_directories=",
                "-c fsync=on",
                "-c synchronous_commit=on",
                "-c full_page_writes=on",
                "-c password_encryption=scram-sha-256");
        Output output = run(command(
                "pg_ctl",
                "start",
                "-w",
                "-t",
                Integer.toString(START_TIMEOUT_SECONDS),
                "-D",
                cluster.toString(),
                "-l",
                startLog.toString(),
                "-o",
                options));
        if (output.status() != 0) {
            throw new EmbeddedPostgresException(
                    "PostgreSQL does not start: " + output.text().strip() + "\n" + logTail());
        }
        port = onPort;
        pid = postmaster().map(Postmaster::pid).orElse(-1L);
    }

    private String logTail() {
        try {
            String log = Files.readString(startLog);
            return log.substring(Math.max(0, log.length() - LOG_TAIL_CHARS));
        } catch (IOException e) {
            return "(no log: " + e + ")";
        }
    }

    /** Cuts sessions, writes a checkpoint, ends; without a checkpoint if that takes too long. Nothing if it is down. */
    void stop() throws IOException {
        if (pid < 0 || !isPostmaster(pid)) {
            return;
        }
        stop("fast");
        pid = -1;
    }

    private void stop(String mode) throws IOException {
        Output output = run(command(
                "pg_ctl",
                "stop",
                "-w",
                "-t",
                Integer.toString(STOP_TIMEOUT_SECONDS),
                "-m",
                mode,
                "-D",
                cluster.toString()));
        if (output.status() != 0 && mode.equals("fast")) {
            LOG.warn("PostgreSQL did not stop in time, ending it without a checkpoint: {}", output.text());
            stop("immediate");
        } else if (output.status() != 0) {
            throw new IOException("PostgreSQL does not stop: " + output.text().strip());
        }
    }

    /** Whether the postmaster we started lives. */
    boolean alive() {
        return pid > 0 && isPostmaster(pid);
    }

    /**
     * Stops in order what a crash of ours left running on this database. A pid file whose number belongs to another
     * program by now is taken away, because PostgreSQL would refuse to start beside it; that program is left alone.
     */
    void endOrphan() throws IOException {
        Optional<Postmaster> left = postmaster();
        if (left.isEmpty()) {
            return;
        }
        long old = left.get().pid();
        if (isPostmaster(old)) {
            LOG.warn("a PostgreSQL of an earlier run (pid {}) still runs on {}; stopping it", old, cluster);
            stop("fast");
        } else if (ProcessHandle.of(old).isPresent()) {
            LOG.warn("pid {} of an earlier PostgreSQL belongs to another program now; removing the stale file", old);
            Files.deleteIfExists(pidFile());
        }
    }

    private Path pidFile() {
        return cluster.resolve("postmaster.pid");
    }

    private Optional<Postmaster> postmaster() throws IOException {
        try {
            List<String> lines = Files.readAllLines(pidFile(), StandardCharsets.UTF_8);
            return lines.isEmpty()
                    ? Optional.empty()
                    : Optional.of(new Postmaster(Long.parseLong(lines.get(0).strip())));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (NumberFormatException e) {
            throw new IOException(pidFile() + " does not begin with a process id", e);
        }
    }

    /** Whether that process is a postmaster on our directory, and no zombie and no other program of the same number. */
    private boolean isPostmaster(long candidate) {
        Optional<ProcessHandle> handle = ProcessHandle.of(candidate);
        if (handle.isEmpty() || !handle.get().isAlive()) {
            return false;
        }
        // A zombie has no arguments, and where nobody reaps the orphans it stays for ever.
        String[] arguments = handle.get().info().arguments().orElse(new String[0]);
        return List.of(arguments).contains(cluster.toString());
    }

    private List<String> command(String program, String... arguments) {
        List<String> command = new ArrayList<>(prefix);
        command.add(programs.resolve(program).toString());
        command.addAll(List.of(arguments));
        return command;
    }

    private static Output run(List<String> command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        // Settings of the caller's own PostgreSQL clients do not concern this server.
        builder.environment().keySet().removeIf(name -> name.startsWith("PG"));
        builder.environment().put("LC_ALL", "C");
        Process process = builder.start();
        process.getOutputStream().close();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (!process.waitFor(PROGRAM_TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException(command.get(command.size() - 1) + " did not end");
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        return new Output(process.exitValue(), text);
    }

    private record Postmaster(long pid) {}

    private record Output(int status, String text) {}
}
