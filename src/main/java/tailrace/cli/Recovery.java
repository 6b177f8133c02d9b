package tailrace.cli;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.bus.LocalCodec;
import tailrace.config.TailraceConfig;
import tailrace.journal.JournalHome;
import tailrace.journal.JournalSurvey;
import tailrace.metrics.Metrics;
import tailrace.postgres.Database;
import tailrace.postgres.EmbeddedPostgresException;
import tailrace.postgres.JournalAdmission;
import tailrace.postgres.JournalOverview;
import tailrace.postgres.JournalRegistry;
import tailrace.postgres.JournalStanding;
import tailrace.postgres.LogWriter;
import tailrace.postgres.Partitions;
import tailrace.postgres.Reselection;
import tailrace.postgres.WriterLock;
import verticles.BatchWriterVerticle;

/**
 * What writing a journal into PostgreSQL needs of a server, and nothing more: no HTTP, nobody who appends. Journal,
 * database, writer's lock and writer are the server's own and are opened in its order; the writer's verticle runs until
 * its cursors are at the end. Unlike a starting server it takes no journal in the place of another: it refuses.
 *
 * <p>Methods block; belongs to one thread. {@link #close} may be called by another.
 */
final class Recovery implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Recovery.class);

    /** How long the session of a process that has just been killed may still have the lock. */
    private static final Duration LOCK_PATIENCE = Duration.ofSeconds(3);
    /** Nothing was written for so long: PostgreSQL is not coming back, or not soon. */
    private static final Duration STALL_LIMIT = Duration.ofMinutes(5);

    private static final Duration POLL = Duration.ofMillis(50);
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final TailraceConfig config;
    private final Clock clock = Clock.systemUTC();
    private final Vertx vertx = Vertx.builder()
            .with(new VertxOptions().setPreferNativeTransport(true))
            .build();
    private final Metrics metrics = new Metrics(new SimpleMeterRegistry());
    // A signal may come in the middle of the opening, and PostgreSQL is a process of its own.
    private final Thread hook = new Thread(this::close, "tailrace-shutdown");
    /** How to close what was opened, the last first. */
    private final Deque<Callable<?>> closing = new ArrayDeque<>();

    private boolean closed;

    private final JournalHome home;
    private final Database database;
    private final JournalRegistry registry;
    private final Partitions partitions;
    private final WriterLock lock;

    /**
     * What a replay did.
     *
     * @param rows sent, also those that were there already
     * @param refused set aside in {@code log_rejects}
     * @param seconds from the writer's start to its cursors' arrival at the end
     */
    record Replayed(JournalSurvey before, long rows, long refused, double seconds) {
        double rowsPerSecond() {
            return rows / Math.max(1e-9, seconds);
        }
    }

    /** @param looked entries of the hot tier that are in PostgreSQL now, {@code inserted} of which were not before */
    record Reselected(long looked, long inserted, long refused, double seconds) {}

    /**
     * Opens everything and takes the writer's lock.
     *
     * @throws CommandFailedException if that may not or cannot be; nothing was written
     */
    Recovery(TailraceConfig config) throws Exception {
        this.config = config;
        Runtime.getRuntime().addShutdownHook(hook);
        opened(() -> await(vertx.close()));
        try {
            LocalCodec.register(vertx);
            home = new JournalHome(config.dataDir(), config.journal().sync(), clock);
            opened(() -> {
                home.close();
                return home;
            });
            database = openDatabase();
            opened(() -> await(database.close()));
            registry = new JournalRegistry(database);
            partitions = new Partitions(database, clock);
            requireOurs(overview().standing());
            lock = new WriterLock(vertx, database);
            opened(() -> await(lock.close()));
            takeLock();
        } catch (Exception e) {
            close();
            throw e;
        }
    }

    private synchronized void opened(Callable<?> closer) throws Exception {
        if (closed) {
            closer.call();
            throw new CommandFailedException("Stopped before anything was written.");
        }
        closing.push(closer);
    }

    private Database openDatabase() throws Exception {
        try {
            return await(Database.open(vertx, config.database(), config.dataDir()));
        } catch (EmbeddedPostgresException e) {
            throw new CommandFailedException("Nothing was written: " + e.getMessage(), Recover.EXIT_POSTGRES_AWAY);
        }
    }

    private JournalOverview overview() throws Exception {
        try {
            return await(JournalOverview.of(
                    database, home.journal().id(), home.journal().lastPosition()));
        } catch (Exception e) {
            throw new CommandFailedException(
                    "PostgreSQL cannot be asked (" + e.getMessage() + "). Nothing was written.",
                    Recover.EXIT_POSTGRES_AWAY);
        }
    }

    private static void requireOurs(JournalStanding standing) throws CommandFailedException {
        if (!(standing instanceof JournalStanding.Continue || standing instanceof JournalStanding.First)) {
            throw new CommandFailedException("Nothing was written: " + RecoverReport.explain(standing));
        }
    }

    private void takeLock() throws Exception {
        JournalAdmission admission = new JournalAdmission(
                vertx, database, registry, home, config.writer().lanes());
        admission.started(); // it may register the journal, never exchange it
        lock.admission(admission::admit);
        WriterLock.State state = await(lock.start());
        long until = System.nanoTime() + LOCK_PATIENCE.toNanos();
        while (!state.held() && state.detail().equals(WriterLock.TAKEN) && System.nanoTime() < until) {
            pause();
            state = lock.state();
        }
        if (state.held()) {
            return;
        }
        if (state.detail().equals(WriterLock.TAKEN)) {
            throw new CommandFailedException(
                    "Nothing was written: " + WriterLock.TAKEN + ". Stop it first; it holds the writer's lock.",
                    Recover.EXIT_IN_USE);
        }
        throw new CommandFailedException(
                "Nothing was written: " + state.detail(), state.database() ? 1 : Recover.EXIT_POSTGRES_AWAY);
    }

    Database database() {
        return database;
    }

    JournalHome home() {
        return home;
    }

    /**
     * Writes what is beyond the cursors, and sees that they are at the end then.
     *
     * @throws CommandFailedException if PostgreSQL went away for longer than {@link #STALL_LIMIT}
     */
    Replayed replay(Progress progress) throws Exception {
        JournalSurvey before = JournalSurvey.take(home.journal(), overview().readers(), position -> {});
        long last = home.journal().lastPosition();
        JournalSurvey.Beyond beyond = before.beyond();
        long rows = config.writer().persistAll() ? beyond.entries() : beyond.friendlyEntries();
        if (beyond.records() == 0) {
            return new Replayed(before, 0, 0, 0);
        }
        LogWriter writer =
                new LogWriter(vertx, database, registry, partitions, home.journal(), config.writer(), metrics);
        // Nothing is left for a last flush after a replay; and after a failure nobody waits for one.
        BatchWriterVerticle verticle = new BatchWriterVerticle(writer, lock, config.writer(), Duration.ZERO);
        long started = System.nanoTime();
        double seconds;
        String deployed = await(vertx.deployVerticle(verticle));
        try {
            progress.show(() ->
                    Progress.bar("replay", "rows", writer.stats().rowsWritten(), rows, System.nanoTime() - started)
                            + trouble(writer.stats().lastError()));
            awaitProgress(
                    () -> writer.position() >= last,
                    () -> writer.position() + writer.stats().rowsWritten(),
                    () -> writer.stats().lastError());
            seconds = seconds(started);
        } finally {
            await(vertx.undeploy(deployed));
        }
        requireAtEnd(last);
        return new Replayed(before, writer.stats().rowsWritten(), writer.stats().rowsRefused(), seconds);
    }

    private void requireAtEnd(long last) throws Exception {
        List<JournalRegistry.LaneCursor> cursors =
                await(registry.cursors(home.journal().id()));
        for (JournalRegistry.LaneCursor cursor : cursors) {
            if (cursor.position() != last) {
                throw new CommandFailedException("Lane " + cursor.lane() + " is at position " + cursor.position()
                        + " and not at " + last + ": another process wrote meanwhile. Run this again.");
            }
        }
        if (cursors.isEmpty()) {
            throw new CommandFailedException("PostgreSQL has no cursor of journal "
                    + home.journal().id() + " any more: somebody removed it. Run this again.");
        }
    }

    /**
     * Puts every entry that the hot tier has and PostgreSQL lacks into PostgreSQL.
     *
     * @param held entries of the hot tier, for the progress
     * @throws CommandFailedException as {@link #replay}
     */
    Reselected reselect(Progress progress, long held) throws Exception {
        Reselection reselection = new Reselection(
                vertx, database, partitions, home.journal(), config.writer().lanes(), () -> lock.state()
                        .held());
        long began = System.nanoTime();
        progress.show(() -> Progress.bar("reselect", "entries", reselection.looked(), held, System.nanoTime() - began)
                + trouble(reselection.lastError()));
        Future<Void> running = reselection.run();
        try {
            awaitProgress(running::isComplete, reselection::looked, reselection::lastError);
        } finally {
            reselection.stop();
            await(running);
        }
        return new Reselected(reselection.looked(), reselection.inserted(), reselection.refused(), seconds(began));
    }

    private static String trouble(String lastError) {
        return lastError.isEmpty() ? "" : "; trying again: " + HttpConnection.printable(lastError);
    }

    private static double seconds(long sinceNanos) {
        return (System.nanoTime() - sinceNanos) / 1e9;
    }

    private void awaitProgress(Callable<Boolean> done, LongSupplier figure, Supplier<String> lastError)
            throws Exception {
        long before = figure.getAsLong();
        long since = System.nanoTime();
        while (!done.call()) {
            pause();
            long now = figure.getAsLong();
            if (now != before) {
                before = now;
                since = System.nanoTime();
            } else if (System.nanoTime() - since > STALL_LIMIT.toNanos()) {
                String why = lastError.get().isEmpty() ? lock.state().detail() : lastError.get();
                throw new CommandFailedException(
                        "Nothing was written for " + STALL_LIMIT.toMinutes() + " minutes (" + why
                                + "). Run this again when PostgreSQL answers; it goes on where it stopped.",
                        Recover.EXIT_POSTGRES_AWAY);
            }
        }
    }

    private static void pause() throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(POLL.toNanos());
    }

    private static <T> T await(Future<T> future) throws Exception {
        try {
            return future.toCompletionStage().toCompletableFuture().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        } catch (TimeoutException e) {
            throw new CommandFailedException("No answer within " + PATIENCE.toSeconds() + " s.", e);
        }
    }

    /** Gives the lock back, stops an embedded PostgreSQL, closes the journal; whatever is open. */
    @Override
    public synchronized void close() {
        closed = true;
        while (!closing.isEmpty()) {
            try {
                closing.pop().call();
            } catch (Exception e) {
                LOG.warn("not closed in order", e);
            }
        }
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            LOG.debug("a signal came, and the hook is what closes", e);
        }
    }
}
