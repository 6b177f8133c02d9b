package tailrace.postgres;

import java.nio.file.Path;

/**
 * A PostgreSQL of one test's own, started and then left to itself: nobody watches it, so a test may freeze, stop or kill
 * it for as long as it likes, and start it again.
 */
public final class LonePostgres {
    private LonePostgres() {}

    /**
     * Starts the one in a directory, or makes it; returns where it listens, on another port each time. Its postmaster is
     * named in {@code postgres/postmaster.pid} there, and is the caller's to end.
     */
    public static DatabaseUrl start(Path dataDir) {
        LentPrograms.to(dataDir);
        EmbeddedPostgres postgres = new EmbeddedPostgres(dataDir);
        postgres.start();
        DatabaseUrl url = postgres.url();
        postgres.abandon();
        return url;
    }
}
