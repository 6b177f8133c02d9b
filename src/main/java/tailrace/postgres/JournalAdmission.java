package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.journal.JournalHome;

/**
 * Decides, each time the writer's lock was taken, whether this process's journal may take entries (SPEC 9, promise 7).
 * At the start it may still exchange the journal or make it the follower of a lost one; later only the journal that
 * PostgreSQL knows is admitted, because seqs have been given.
 */
public final class JournalAdmission {
    private static final Logger LOG = LoggerFactory.getLogger(JournalAdmission.class);
    private static final int PAGE = 5_000;
    /** Each may be some hundred KiB. */
    private static final int SUMMARY_PAGE = 50;

    private final Vertx vertx;
    private final Database database;
    private final JournalRegistry registry;
    private final JournalHome home;
    private final int lanes;
    private volatile boolean started;
    private volatile boolean migrated;

    /** @param lanes of the writer */
    public JournalAdmission(Vertx vertx, Database database, JournalRegistry registry, JournalHome home, int lanes) {
        this.vertx = vertx;
        this.database = database;
        this.registry = registry;
        this.home = home;
        this.lanes = lanes;
    }

    /** From now on the journal is in use and stays what it is. */
    public void started() {
        started = true;
    }

    /** For {@link WriterLock#admission}: why the journal may not take entries, or nothing. */
    public Future<Optional<String>> admit() {
        return migrate()
                .compose(done -> registry.standing(
                        home.journal().id(),
                        home.journal().lastPosition(),
                        home.journal().lastPosition() == 0))
                .compose(standing -> started ? keep(standing) : take(standing));
    }

    private Future<Void> migrate() {
        if (migrated) {
            return Future.succeededFuture();
        }
        return database.migrate().map(applied -> {
            migrated = true;
            return null;
        });
    }

    private Future<Optional<String>> keep(JournalStanding standing) {
        if (standing instanceof JournalStanding.Continue || standing instanceof JournalStanding.First) {
            return register();
        }
        return Future.succeededFuture(Optional.of("PostgreSQL belongs to another Tailrace journal ("
                + describe(standing) + "). Start this process again if it shall take over."));
    }

    private Future<Optional<String>> take(JournalStanding standing) {
        if (standing instanceof JournalStanding.Successor successor) {
            LOG.warn(
                    "The data directory is empty, but PostgreSQL knows journal {}: it was lost, and with it whatever was"
                            + " not in PostgreSQL yet. Every execution goes on above what PostgreSQL knows; readers see"
                            + " the jump as a GAP with reason \"lost\".",
                    successor.lost());
            return follow(successor.generation() + 1);
        }
        if (standing instanceof JournalStanding.Foreign foreign) {
            return exchange("PostgreSQL belongs to journal " + foreign.current(), foreign.generation() + 1);
        }
        if (standing instanceof JournalStanding.Stale stale) {
            return exchange(
                    "it is an old copy: PostgreSQL has it up to position " + stale.cursor() + ", it ends at "
                            + stale.lastPosition(),
                    stale.generation() + 1);
        }
        return register();
    }

    private Future<Optional<String>> exchange(String why, long generation) {
        return blocking(() -> {
                    home.setAside(why);
                    return true;
                })
                .compose(empty -> follow(generation));
    }

    private Future<Optional<String>> follow(long generation) {
        return registry.knownExecutions(home.journal().id(), PAGE, page -> blocking(() -> {
                            home.adopt(generation, page);
                            return true;
                        })
                        .mapEmpty())
                .compose(count -> registry.knownSummaries(SUMMARY_PAGE, page -> blocking(() -> {
                                    home.adoptSummaries(page);
                                    return true;
                                })
                                .mapEmpty())
                        .map(summaries -> count))
                .compose(count -> {
                    LOG.info("{} executions known to PostgreSQL were taken over.", count);
                    return blocking(() -> {
                        home.succeed(generation);
                        return true;
                    });
                })
                .compose(succeeded -> register());
    }

    private Future<Optional<String>> register() {
        return registry.register(home.journal().id(), lanes)
                .compose(generation -> blocking(() -> {
                    home.registered(generation);
                    return Optional.empty();
                }));
    }

    private <T> Future<T> blocking(Callable<T> work) {
        return vertx.executeBlocking(work, false);
    }

    private static String describe(JournalStanding standing) {
        if (standing instanceof JournalStanding.Foreign foreign) {
            return foreign.current().toString();
        }
        if (standing instanceof JournalStanding.Successor successor) {
            return successor.lost().toString();
        }
        return standing.toString();
    }
}
