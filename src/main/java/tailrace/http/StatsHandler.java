package tailrace.http;

import io.vertx.core.Handler;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Supplier;
import tailrace.degradation.Degradation;
import tailrace.degradation.Standing;
import tailrace.journal.CommitLoop;
import tailrace.journal.Cursors;
import tailrace.journal.Journal;
import tailrace.metrics.Metrics;
import tailrace.postgres.InboxStats;
import tailrace.postgres.RetentionReport;
import tailrace.postgres.RetentionSchedule;
import tailrace.postgres.WriterStats;
import tailrace.redis.HotTierStatus;

/** {@code GET /v2/logs/stats}: buffers, batches, cursors and how far they are behind. */
public final class StatsHandler implements Handler<RoutingContext> {
    private final Journal journal;
    private final CommitLoop loop;
    private final Degradation degradation;
    private final Supplier<WriterStats> stats;
    private final Supplier<InboxStats> inbox;
    private final Cursors cursors;
    private final Metrics metrics;
    private final Supplier<RetentionSchedule.Status> retention;
    private final Supplier<Optional<HotTierStatus>> redis;

    /** @param redis how the hot tier beside the journal stands, or empty where none is configured */
    public StatsHandler(
            Journal journal,
            CommitLoop loop,
            Degradation degradation,
            Supplier<WriterStats> stats,
            Supplier<InboxStats> inbox,
            Cursors cursors,
            Metrics metrics,
            Supplier<RetentionSchedule.Status> retention,
            Supplier<Optional<HotTierStatus>> redis) {
        this.journal = journal;
        this.loop = loop;
        this.degradation = degradation;
        this.stats = stats;
        this.inbox = inbox;
        this.cursors = cursors;
        this.metrics = metrics;
        this.retention = retention;
        this.redis = redis;
    }

    @Override
    public void handle(RoutingContext ctx) {
        WriterStats now = stats.get();
        Standing standing = degradation.standing();
        long end = journal.lastPosition();
        var all = new JsonArray();
        cursors.positions()
                .forEach((name, position) -> all.add(new JsonObject()
                        .put("cursor", name)
                        .put("position", position)
                        .put("lag_records", Math.max(0, end - position))));
        now.lanes()
                .forEach(lane -> all.add(new JsonObject()
                        .put("cursor", "postgres/" + lane.lane())
                        .put("position", lane.position())
                        .put("lag_records", lane.lagPositions())
                        .put("lag_seconds", lane.lagSeconds())));
        JsonObject answer = new JsonObject();
        redis.get().ifPresent(tier -> answer.put("redis", redisJson(tier)));
        ctx.response()
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                .end(answer.put("level", standing.level())
                        .put("level_seconds", degradation.secondsInLevel())
                        .put("reasons", new JsonArray(standing.reasons()))
                        .put("pressure", standing.pressure())
                        .put("entries_shed", loop.shedEntries())
                        .put("requests_throttled", metrics.throttledRequests())
                        .put("batch_buffer_size", now.bufferedEntries())
                        .put("successful_batches", now.successfulBatches())
                        .put("failed_batches", now.failedBatches())
                        .put("rows_written", now.rowsWritten())
                        .put("rows_refused", now.rowsRefused())
                        .put("circuit_breaker", now.breaker())
                        .put("last_error", now.lastError())
                        .put("journal_position", end)
                        .put("ingest_queue_bytes", loop.queuedBytes())
                        .put("cursors", all)
                        .put("inbox", inbox(inbox.get()))
                        .put("retention", retention())
                        .toBuffer());
    }

    private static JsonObject inbox(InboxStats now) {
        return new JsonObject()
                .put("taken", now.taken())
                .put("rejected", now.rejected())
                .put("oldest_pending_seconds", now.oldestPendingSeconds())
                .put("listening", now.listening())
                .put("reconnects", now.reconnects())
                .put("poll_found", now.pollFound());
    }

    private JsonObject retention() {
        RetentionSchedule.Status now = retention.get();
        RetentionReport last = now.lastRun();
        Instant next = now.nextRun();
        return new JsonObject()
                .put("last_run", last == null ? null : last.json())
                .put("next_run", next == null ? null : next.toString());
    }

    private static JsonObject redisJson(HotTierStatus tier) {
        return new JsonObject()
                .put("available", tier.available())
                .put("lag_records", tier.lagPositions())
                .put("lag_seconds", tier.lagSeconds())
                .put("circuit_breaker", tier.breaker())
                .put("read_circuit_breaker", tier.readBreaker())
                .put("entries_written", tier.entriesWritten())
                .put("rebuilds", tier.rebuilds())
                .put("last_error", tier.detail());
    }
}
