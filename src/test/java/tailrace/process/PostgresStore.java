package tailrace.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import tailrace.postgres.DatabaseUrl;
import tailrace.postgres.LonePostgres;

/** A PostgreSQL of one test's own. */
final class PostgresStore implements Store {
    private final Path dataDir;
    private DatabaseUrl url;
    private List<ProcessHandle> frozen = List.of();

    /** Made and started in this directory. */
    PostgresStore(Path dataDir) {
        this.dataDir = dataDir;
        this.url = LonePostgres.start(dataDir);
    }

    DatabaseUrl url() {
        return url;
    }

    /** As configuration has it, through another port of this machine. */
    String urlText(int port) {
        return "postgres://" + url.user() + ":" + url.password().value() + "@127.0.0.1:" + port + "/" + url.database()
                + "?sslmode=disable";
    }

    @Override
    public String name() {
        return "postgres";
    }

    @Override
    public int port() {
        return url.port();
    }

    @Override
    public void start() {
        url = LonePostgres.start(dataDir);
    }

    private Optional<ProcessHandle> postmaster() throws IOException {
        Path pidFile = dataDir.resolve("postgres").resolve("postmaster.pid");
        if (!Files.exists(pidFile)) {
            return Optional.empty();
        }
        long pid = Long.parseLong(Files.readAllLines(pidFile).get(0).strip());
        return ProcessHandle.of(pid).filter(ProcessHandle::isAlive);
    }

    /** SIGINT: sessions are cut, a checkpoint is written. */
    @Override
    public void stop() throws Exception {
        ProcessHandle postmaster = postmaster().orElseThrow();
        Signals.send("INT", List.of(postmaster));
        AwaitCondition.until("PostgreSQL has stopped", () -> postmaster().isEmpty());
    }

    @Override
    public void kill() throws Exception {
        ProcessHandle postmaster = postmaster().orElseThrow();
        List<ProcessHandle> children = postmaster.descendants().toList();
        postmaster.destroyForcibly();
        children.forEach(ProcessHandle::destroyForcibly);
        AwaitCondition.until("PostgreSQL is dead", () -> !postmaster.isAlive());
    }

    @Override
    public void freeze() throws Exception {
        frozen = Signals.freeze(postmaster().orElseThrow());
    }

    @Override
    public void thaw() throws Exception {
        Signals.thaw(frozen);
        frozen = List.of();
    }

    @Override
    public void close() throws Exception {
        thaw();
        if (postmaster().isPresent()) {
            kill();
        }
    }
}
