package tailrace.http;

import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import tailrace.model.Timestamps;
import tailrace.query.StatsQuery;
import tailrace.query.StatsReads;
import tailrace.security.Principal;
import tailrace.stats.Resolution;

/** {@code GET /v2/workflows/{id}/stats}: what a workflow comes to over time, from what was counted as it came in. */
public final class WorkflowStatsHandler implements Handler<RoutingContext> {
    private static final Set<String> PARAMETERS = Set.of("from", "to", "bucket");
    private static final long DEFAULT_SPAN_MICROS = micros(Duration.ofHours(24));
    /** Longer spans are shown by the hour. */
    private static final long MAX_BY_MINUTE_MICROS = micros(Duration.ofHours(6));
    /** Longer ones by the day. */
    private static final long MAX_BY_HOUR_MICROS = micros(Duration.ofDays(Resolution.HOUR.keepDays()));
    /** PostgreSQL and ISO 8601 know more; nobody has entries there. */
    private static final long MAX_MICROS = Timestamps.micros(Instant.parse("9999-12-30T00:00:00Z"));

    private final Vertx vertx;
    private final StatsReads stats;
    private final LongSupplier writtenUntilMicros;
    private final Clock clock;

    /** @param writtenUntilMicros up to which time what was accepted is counted, 0 if nobody knows */
    public WorkflowStatsHandler(Vertx vertx, StatsReads stats, LongSupplier writtenUntilMicros, Clock clock) {
        this.vertx = vertx;
        this.stats = stats;
        this.writtenUntilMicros = writtenUntilMicros;
        this.clock = clock;
    }

    private static long micros(Duration duration) {
        return TimeUnit.NANOSECONDS.toMicros(duration.toNanos());
    }

    @Override
    public void handle(RoutingContext ctx) {
        Principal principal = Reading.principal(ctx);
        String id = Reading.executionId(ctx); // the parameter has the same name in every route
        long now = Timestamps.micros(clock.instant());
        StatsQuery query = query(ReadParameters.only(ctx.queryParams(), PARAMETERS), id, now);
        long until = writtenUntilMicros.getAsLong(); // before reading: what is written meanwhile may not be seen
        stats.read(principal, query)
                .compose(found -> found.map(
                                read -> vertx.executeBlocking(() -> WorkflowStatsJson.write(read, now, until), false))
                        .orElseGet(() -> Future.failedFuture(Problem.of(
                                404, "workflow_not_found", "There is no workflow " + id + " that you may read."))))
                .onSuccess(json -> ctx.response()
                        .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                        .end(Buffer.buffer(json)))
                .onFailure(failure -> ctx.fail(
                        failure instanceof StatsReads.TooManyException
                                ? Problem.parameter(
                                        "bucket",
                                        "these are the numbers of too many owners; ask for a larger bucket or a shorter"
                                                + " span")
                                : Reading.postgresProblem(failure)));
    }

    static StatsQuery query(ReadParameters parameters, String workflowId, long nowMicros) {
        long to = time(parameters, "to").orElse(nowMicros);
        long from = time(parameters, "from").orElse(Math.max(0, to - DEFAULT_SPAN_MICROS));
        if (from >= to) {
            throw Problem.parameter("from", "must be before to, which is now unless it is given");
        }
        Optional<Resolution> named = parameters.text("bucket").map(text -> Resolution.parse(text)
                .orElseThrow(() -> Problem.parameter("bucket", "must be minute, hour or day")));
        StatsQuery query = StatsQuery.around(workflowId, named.orElse(fitting(to - from)), from, to);
        if (query.buckets() > StatsQuery.MAX_BUCKETS) {
            boolean smaller = query.resolution() != Resolution.DAY;
            throw Problem.parameter(
                    smaller ? "bucket" : "from",
                    "there would be " + query.buckets() + " buckets, and an answer has at most "
                            + StatsQuery.MAX_BUCKETS + "; ask for "
                            + (smaller ? "a larger bucket or a shorter span" : "a shorter span"));
        }
        return query;
    }

    private static Optional<Long> time(ReadParameters parameters, String name) {
        Optional<Long> time = parameters.time(name);
        if (time.isPresent() && (time.get() < 0 || time.get() > MAX_MICROS)) {
            throw Problem.parameter(name, "must lie between the years 1970 and 9999");
        }
        return time;
    }

    private static Resolution fitting(long spanMicros) {
        return spanMicros <= MAX_BY_MINUTE_MICROS
                ? Resolution.MINUTE
                : spanMicros <= MAX_BY_HOUR_MICROS ? Resolution.HOUR : Resolution.DAY;
    }
}
