package tailrace.query;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tailrace.postgres.StatsReader;
import tailrace.postgres.StatsReader.Found;
import tailrace.postgres.Workflows;
import tailrace.security.Principal;
import tailrace.stats.Cell;
import tailrace.stats.CellCodec;

/**
 * Adds up what PostgreSQL has counted of a workflow, on workers, a page of cells at a time. Safe for any event loop; fails
 * while PostgreSQL is away.
 */
public final class StatsReads {
    /** Cells of one answer: a bucket has one for each owner whom the reader may see. */
    public static final int MAX_CELLS = 50_000;

    /** Kinds of errors told apart while they are added up. */
    private static final int ERROR_KINDS = 200;

    private static final int PAGE = 500;

    private final Vertx vertx;
    private final StatsReader reader;
    private final LogSearch search;
    private final Workflows workflows;

    public StatsReads(Vertx vertx, StatsReader reader, LogSearch search, Workflows workflows) {
        this.vertx = vertx;
        this.reader = reader;
        this.search = search;
        this.workflows = workflows;
    }

    /** More than {@link #MAX_CELLS} would have to be added up. */
    public static final class TooManyException extends RuntimeException {
        private static final long serialVersionUID = 1;

        TooManyException() {
            super("more than " + MAX_CELLS + " cells");
        }
    }

    /** What was counted; nothing if there is no such workflow of which the principal may see anything. */
    public Future<Optional<WorkflowStats>> read(Principal principal, StatsQuery query) {
        var sum = new WorkflowStats(query, new Cell(ERROR_KINDS), new TreeMap<>());
        return page(principal, sum, null, 0)
                .compose(cells -> cells > 0
                        ? Future.succeededFuture(Optional.of(sum))
                        : known(principal, query.workflowId())
                                .map(known -> known ? Optional.of(sum) : Optional.empty()));
    }

    /** How many cells there were. */
    private Future<Integer> page(Principal principal, WorkflowStats sum, @Nullable Found after, int before) {
        StatsQuery query = sum.query();
        return reader.cells(
                        principal,
                        query.workflowId(),
                        query.resolution(),
                        query.fromMicros(),
                        query.toMicros(),
                        after,
                        PAGE)
                .compose(cells -> {
                    int count = before + cells.size();
                    if (count > MAX_CELLS) {
                        return Future.failedFuture(new TooManyException());
                    }
                    Future<Boolean> added = vertx.executeBlocking(() -> add(cells, sum), false);
                    return added.compose(done -> cells.size() < PAGE
                            ? Future.succeededFuture(count)
                            : page(principal, sum, cells.get(cells.size() - 1), count));
                });
    }

    private static boolean add(List<Found> cells, WorkflowStats sum) throws IOException {
        for (Found each : cells) {
            var cell = new Cell(ERROR_KINDS);
            CellCodec.addTo(cell, each.cell().getBytes(StandardCharsets.UTF_8));
            sum.total().add(cell);
            // Errors are told of the whole span only
            sum.buckets()
                    .computeIfAbsent(each.startMicros(), start -> new Cell(1))
                    .addCounts(cell);
        }
        return true;
    }

    /** Of a workflow that has nothing to show, whether there is one for this reader. */
    private Future<Boolean> known(Principal principal, String workflowId) {
        return search.ownsAnyOf(principal, workflowId)
                .compose(owns -> owns
                        ? Future.succeededFuture(true)
                        : workflows.find(principal, workflowId).map(Optional::isPresent));
    }
}
