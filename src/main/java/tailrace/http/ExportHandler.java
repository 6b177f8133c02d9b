package tailrace.http;

import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.Callable;
import tailrace.export.ExportDocument;
import tailrace.model.ExecutionState;
import tailrace.query.Coverage;
import tailrace.query.EntryStore;
import tailrace.query.Executions;
import tailrace.query.History;
import tailrace.query.HistoryPage;
import tailrace.security.Principal;

/**
 * {@code GET …/executions/{id}/logs/export}: everything that history's filters accept, as a file (SPEC 5). It is read,
 * made on a worker and written piece by piece as the client takes it, so its size costs no memory. Who may read is asked
 * at the beginning: an export that outlives its token goes on to its end. Entries that arrive after it began are not part
 * of it.
 */
public final class ExportHandler implements Handler<RoutingContext> {
    private final Vertx vertx;
    private final Executions executions;
    private final EntryStore store;
    private final LongReads longReads;

    public ExportHandler(Vertx vertx, Executions executions, EntryStore store, LongReads longReads) {
        this.vertx = vertx;
        this.executions = executions;
        this.store = store;
        this.longReads = longReads;
    }

    @Override
    public void handle(RoutingContext ctx) {
        Principal principal = Reading.principal(ctx);
        ExportRequest request = ExportRequest.of(ctx);
        String id = request.executionId();
        executions
                .find(principal, id)
                .compose(found -> found.map(state -> export(ctx, principal, request, state))
                        .orElseGet(() -> Future.failedFuture(Problem.noExecution(id))))
                .onFailure(failure -> PieceSender.fail(ctx, failure));
    }

    private Future<Void> export(RoutingContext ctx, Principal principal, ExportRequest request, ExecutionState state) {
        LongReads.Place place = longReads.enter(principal);
        // Inside the future, so that whatever goes wrong gives the place back.
        return Future.succeededFuture(new History(store.as(principal)))
                .compose(history -> history.open(state, request.query()))
                .compose(page -> send(ctx, request, page))
                .onComplete(ended -> place.close());
    }

    private Future<Void> send(RoutingContext ctx, ExportRequest request, HistoryPage page) {
        ExportDocument document;
        try {
            document = new ExportDocument(request.format(), request.executionId(), request.zone(), request.gzip());
        } catch (IOException e) {
            throw new UncheckedIOException("memory cannot be written to", e);
        }
        headers(ctx.response(), request);
        return PieceSender.send(ctx, () -> page.next().compose(entries -> {
                    if (entries.isEmpty()) {
                        Coverage coverage = page.coverage();
                        return make(() -> document.end(coverage), true);
                    }
                    return make(() -> document.entries(entries), false);
                }))
                .onComplete(ended -> close(document));
    }

    private Future<PieceSender.Piece> make(Callable<byte[]> bytes, boolean last) {
        return vertx.executeBlocking(() -> new PieceSender.Piece(Buffer.buffer(bytes.call()), last), false);
    }

    private static void headers(HttpServerResponse response, ExportRequest request) {
        response.putHeader(
                        HttpHeaders.CONTENT_TYPE,
                        request.file() ? "application/gzip" : request.format().contentType())
                .putHeader("Content-Disposition", request.disposition())
                .putHeader(HttpHeaders.CACHE_CONTROL, "no-store")
                .putHeader("X-Content-Type-Options", "nosniff")
                .putHeader(HttpHeaders.VARY, "Accept-Encoding");
        if (request.encoded()) {
            response.putHeader(HttpHeaders.CONTENT_ENCODING, "gzip");
        }
    }

    private static void close(ExportDocument document) {
        try {
            document.close();
        } catch (IOException e) {
            throw new UncheckedIOException("memory cannot be written to", e);
        }
    }
}
