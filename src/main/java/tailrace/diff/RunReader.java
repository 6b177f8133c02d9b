package tailrace.diff;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import tailrace.model.ExecutionState;
import tailrace.model.LogFilter;
import tailrace.query.Coverage;
import tailrace.query.History;
import tailrace.query.HistoryPage;
import tailrace.query.HistoryQuery;

/** Reads a run into a tally, piece by piece; counting is done on workers. Belongs to one event loop. */
public final class RunReader {
    /** Entries of a run that are read; what comes behind them is not compared. Some seconds of a worker. */
    static final int MAX_ENTRIES = 200_000;

    private final Vertx vertx;
    private final History history;
    private final BooleanSupplier stopped;

    /** @param stopped whether nobody waits for it any more; asked before every piece */
    public RunReader(Vertx vertx, History history, BooleanSupplier stopped) {
        this.vertx = vertx;
        this.history = history;
        this.stopped = stopped;
    }

    /** A run as far as it could be read. */
    public record Run(ExecutionState state, RunTally tally, Coverage coverage) {}

    public Future<Run> read(ExecutionState state) {
        return read(state, MAX_ENTRIES);
    }

    Future<Run> read(ExecutionState state, int maxEntries) {
        var all = new HistoryQuery(LogFilter.ALL, true, maxEntries, 0, Optional.empty(), 0, Long.MAX_VALUE, false);
        var tally = new RunTally();
        return history.open(state, all).compose(page -> {
            Promise<Run> whole = Promise.promise();
            next(page, tally, whole);
            return whole.future();
        });
    }

    /** A loop and no chain of futures: a long run has hundreds of pieces. */
    private void next(HistoryPage page, RunTally tally, Promise<Run> whole) {
        if (stopped.getAsBoolean()) {
            whole.fail("nobody waits for the comparison any more");
            return;
        }
        page.next()
                .compose(entries -> entries.isEmpty()
                        ? Future.succeededFuture(false)
                        : vertx.executeBlocking(
                                () -> {
                                    tally.add(entries);
                                    return true;
                                },
                                false))
                .onFailure(whole::fail)
                .onSuccess(more -> {
                    if (more) {
                        next(page, tally, whole);
                        return;
                    }
                    if (page.hasMore()) {
                        tally.cut();
                    }
                    whole.complete(new Run(page.state(), tally, page.coverage()));
                });
    }
}
