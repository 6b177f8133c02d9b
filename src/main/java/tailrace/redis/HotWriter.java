package tailrace.redis;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.WorkerExecutor;
import io.vertx.redis.client.Response;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import tailrace.journal.Journal;
import tailrace.metrics.RedisMetrics;
import tailrace.model.LogEntry;
import tailrace.model.Timestamps;
import tailrace.redis.HotBatch.Run;

/**
 * Puts entries into the streams of Redis, so that each stream is what the journal says, as far back as it reaches. A
 * stream that lacks what stands before the entries at hand (evicted, expired, an old replica's) is first filled up from
 * the journal. Belongs to the link's context.
 */
final class HotWriter {
    /** Redis does nothing else while it runs a script: entries of one script, in bytes and in number. */
    private static final long SCRIPT_BYTES = 256L << 10;

    private static final int SCRIPT_ENTRIES = 1_000;
    /** An answer to a write that takes longer means that Redis hangs. Nobody waits for it but the cursor. */
    static final Duration WRITE_TIMEOUT = Duration.ofSeconds(5);

    private final Journal journal;
    private final RedisLink link;
    private final Keys keys;
    private final WorkerExecutor worker;
    private final Clock clock;
    private final long hotTtlMicros;
    private final RedisMetrics metrics;
    private Future<Void> fills = Future.succeededFuture();
    private @Nullable Throwable failure;

    HotWriter(
            Journal journal,
            RedisLink link,
            Keys keys,
            WorkerExecutor worker,
            Clock clock,
            Duration hotTtl,
            RedisMetrics metrics) {
        this.journal = journal;
        this.link = link;
        this.keys = keys;
        this.worker = worker;
        this.clock = clock;
        this.hotTtlMicros = TimeUnit.NANOSECONDS.toMicros(hotTtl.toNanos());
        this.metrics = metrics;
    }

    /**
     * Writes a batch; the executions' scripts are on their way together. May be repeated. What failed first is what it
     * fails with; by then nothing of it is on its way any more.
     */
    Future<Void> write(HotBatch batch) {
        failure = null;
        List<Future<Void>> written = new ArrayList<>(batch.runs().size());
        for (Run run : batch.runs()) {
            written.add(write(run));
        }
        return Future.join(written).transform(done -> {
            Throwable first = failure;
            return first == null ? Future.succeededFuture() : Future.failedFuture(first);
        });
    }

    private Future<Void> write(Run run) {
        Future<Void> written = Future.succeededFuture();
        for (List<LogEntry> piece : pieces(run.entries())) {
            written = written.compose(done -> append(run, piece, run.hotFromSeq()))
                    .compose(last -> last >= 0 ? Future.succeededFuture() : fill(run, -1 - last, piece));
        }
        return written;
    }

    private static List<List<LogEntry>> pieces(List<LogEntry> entries) {
        List<List<LogEntry>> pieces = new ArrayList<>();
        int from = 0;
        long bytes = 0;
        for (int i = 0; i < entries.size(); i++) {
            bytes += entries.get(i).encoded().length;
            if (bytes >= SCRIPT_BYTES || i - from + 1 >= SCRIPT_ENTRIES || i == entries.size() - 1) {
                pieces.add(entries.subList(from, i + 1));
                from = i + 1;
                bytes = 0;
            }
        }
        return pieces;
    }

    /** The last seq the stream had before; −1 − that if it lacks entries before these and the journal has them. */
    private Future<Long> append(Run run, List<LogEntry> entries, long lowestSeq) {
        Throwable before = failure;
        if (before != null) {
            return Future.failedFuture(before); // the batch is given up
        }
        long leftMillis = (run.lastReceivedAtMicros() + hotTtlMicros - Timestamps.micros(clock.instant())) / 1_000;
        if (leftMillis <= 0) {
            return Future.succeededFuture(Long.MAX_VALUE); // older than the hot tier keeps anything
        }
        long first = entries.get(0).seq();
        List<byte[]> arguments = new ArrayList<>(entries.size() + 3);
        arguments.add(Script.argument(leftMillis));
        arguments.add(Script.argument(first));
        arguments.add(Script.argument(lowestSeq));
        entries.forEach(entry -> arguments.add(entry.encoded()));
        return Script.APPEND
                .run(link, keys.log(run.executionId()), arguments)
                .timeout(WRITE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .map(answer -> {
                    long last = number(answer);
                    if (last >= 0) {
                        metrics.written(Math.max(0, entries.size() - Math.max(0, last + 1 - first)));
                    }
                    return last;
                })
                .onFailure(this::giveUp);
    }

    private void giveUp(Throwable cause) {
        if (failure == null) {
            failure = cause;
        }
        if (cause instanceof TimeoutException) {
            link.drop(); // it hangs: nothing that is on its way will be answered sooner
        }
    }

    private static long number(@Nullable Response answer) {
        Long number = answer == null ? null : answer.toLong();
        if (number == null) {
            throw new IllegalStateException("Redis answered a script with " + answer);
        }
        return number;
    }

    /**
     * Brings a stream that ends at {@code last} up to these entries, and appends them. One stream after the other: where
     * Redis was emptied they all lack something, and what is read for them waits in memory.
     */
    private Future<Void> fill(Run run, long last, List<LogEntry> entries) {
        Promise<Void> filled = Promise.promise();
        Future<Void> turn = fills;
        fills = filled.future();
        long toSeq = entries.get(0).seq() - 1;
        turn.onComplete(done -> fill(run, Math.max(last + 1, run.hotFromSeq()), toSeq, filled));
        return filled.future()
                .compose(done -> append(run, entries, entries.get(0).seq()))
                .onSuccess(done -> metrics.streamRebuilt())
                .mapEmpty();
    }

    /** Not a chain of futures: an execution may have millions of entries, and each link would be kept until the end. */
    private void fill(Run run, long fromSeq, long toSeq, Promise<Void> filled) {
        if (fromSeq > toSeq) {
            filled.complete();
            return;
        }
        Throwable before = failure;
        if (before != null) {
            filled.fail(before);
            return;
        }
        worker.executeBlocking(
                        () -> journal.entries(
                                run.executionId(), fromSeq, toSeq, true, SCRIPT_ENTRIES, SCRIPT_BYTES, entry -> true),
                        false)
                .compose(found -> found.isEmpty()
                        ? Future.succeededFuture(toSeq) // removed from the journal meanwhile
                        : append(run, found, found.get(0).seq())
                                .map(done -> found.get(found.size() - 1).seq()))
                .onSuccess(reached -> fill(run, reached + 1, toSeq, filled))
                .onFailure(cause -> {
                    giveUp(cause);
                    filled.fail(cause);
                });
    }
}
