package tailrace.cli;

import tailrace.config.TailraceConfig;

/** A running server: everything that {@code serve} starts, in one handle. */
public final class Server implements AutoCloseable {
    private Server() {}

    /** Starts the server; returns once it answers. */
    public static Server start(TailraceConfig config) throws Exception {
        throw new CommandFailedException("this build holds no server for " + config.dataDir());
    }

    /** Migrates the database; returns a line for people. */
    public static String migrate(TailraceConfig config) throws Exception {
        throw new CommandFailedException("this build holds no migrations for " + config.database());
    }

    public int port() {
        return 0;
    }

    /** Returns when the server has closed; throws if it closed because of a failure. */
    public void awaitTermination() throws Exception {}

    /** Closes in order, within the configured deadline; may be called twice. */
    @Override
    public void close() {}
}
