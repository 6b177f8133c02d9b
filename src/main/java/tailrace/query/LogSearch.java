package tailrace.query;

import io.vertx.core.Future;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import tailrace.postgres.ReadGuard;
import tailrace.postgres.SearchReader;
import tailrace.postgres.SearchReader.Hit;
import tailrace.security.Principal;

/**
 * Looks through the entries of many executions in PostgreSQL, newest first. PostgreSQL goes back for a quarter of a
 * second at a time; a request goes on until its page is full or its patience ends, and then says how far it came, so that
 * a rare word in a long past costs several requests and never one that hangs. Safe for any event loop.
 */
public final class LogSearch {
    /** After which a request asks PostgreSQL no further. */
    static final Duration PATIENCE = Duration.ofSeconds(3);

    private final SearchReader reader;
    private final ReadGuard guard;

    public LogSearch(SearchReader reader, ReadGuard guard) {
        this.reader = reader;
        this.guard = guard;
    }

    /** Fails if PostgreSQL does not answer. */
    public Future<SearchPage> search(Principal principal, SearchQuery query) {
        return go(principal, query, query.cursor(), List.of(), System.nanoTime() + PATIENCE.toNanos());
    }

    /** Whether there is an execution of the workflow that the principal may read. */
    public Future<Boolean> ownsAnyOf(Principal principal, String workflowId) {
        return guard.call(() -> reader.ownsAnyOf(principal, workflowId));
    }

    private Future<SearchPage> go(
            Principal principal, SearchQuery query, Optional<SearchCursor> from, List<Hit> before, long deadline) {
        int wanted = query.limit() + 1 - before.size(); // one more, to know whether there is one
        return guard.call(() -> reader.search(
                        principal, query.workflowId(), from.map(LogSearch::place), wanted, query.filter()))
                .compose(piece -> {
                    List<Hit> hits = new ArrayList<>(before);
                    hits.addAll(piece.hits());
                    if (hits.size() > query.limit()) {
                        List<Hit> page = hits.subList(0, query.limit());
                        return Future.succeededFuture(
                                new SearchPage(page, true, after(page.get(page.size() - 1)), OptionalLong.empty()));
                    }
                    if (piece.searchedToMicros().isEmpty()) {
                        return Future.succeededFuture(
                                new SearchPage(hits, false, end(hits, from), OptionalLong.empty()));
                    }
                    var reached = new SearchCursor(piece.searchedToMicros().getAsLong(), "", 0);
                    return System.nanoTime() - deadline >= 0
                            ? Future.succeededFuture(new SearchPage(hits, true, reached, piece.searchedToMicros()))
                            : go(principal, query, Optional.of(reached), hits, deadline);
                });
    }

    private static SearchReader.Place place(SearchCursor cursor) {
        return new SearchReader.Place(cursor.receivedAtMicros(), cursor.executionId(), cursor.seq());
    }

    private static SearchCursor after(Hit hit) {
        return new SearchCursor(
                hit.entry().receivedAtMicros(), hit.executionId(), hit.entry().seq());
    }

    /** Behind everything. */
    private static SearchCursor end(List<Hit> hits, Optional<SearchCursor> from) {
        return hits.isEmpty() ? from.orElse(new SearchCursor(1, "", 0)) : after(hits.get(hits.size() - 1));
    }
}
