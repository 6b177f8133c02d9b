package tailrace.ingest;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.List;
import tailrace.bus.Address;
import tailrace.bus.BusMessage;
import tailrace.metrics.Metrics;
import tailrace.model.IncomingEntry;
import tailrace.model.IngestAnswer;
import tailrace.model.IngestBatch;
import tailrace.model.Rejection;

/**
 * Takes in entries that came by another way than a request, by the same rules and through the same journal: parses them
 * on a worker, asks the journal, answers once they are durable. For one call at a time, because its parser is used
 * again.
 */
public final class EntryIntake {
    private final Vertx vertx;
    private final BatchParser parser;
    private final Metrics metrics;

    /** @param parser nobody else's */
    public EntryIntake(Vertx vertx, BatchParser parser, Metrics metrics) {
        this.vertx = vertx;
        this.parser = parser;
        this.metrics = metrics;
    }

    /**
     * What became of these entries; an index of a rejection is an index of the list. Fails with the bus's {@link
     * io.vertx.core.eventbus.ReplyException} where the journal takes nothing now or did not answer: then it is not
     * known, and the same entries may be sent again, because each has an id.
     */
    public Future<IngestAnswer> take(List<IncomingEntry> entries) {
        return vertx.executeBlocking(() -> parser.parse(entries))
                .compose(this::append)
                .onSuccess(this::count);
    }

    private Future<IngestAnswer> append(IngestBatch batch) {
        if (batch.entries().isEmpty()) {
            return Future.succeededFuture(new IngestAnswer(0, batch.rejected(), 0, 0, List.of()));
        }
        return vertx.eventBus()
                .<BusMessage.Answer>request(Address.JOURNAL, new BusMessage.Append(batch))
                .map(durable -> durable.body().answer());
    }

    private void count(IngestAnswer answer) {
        for (Rejection rejection : answer.rejected()) {
            metrics.rejected(rejection.code(), 1);
        }
        metrics.duplicates(answer.duplicates());
    }
}
