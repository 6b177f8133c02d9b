package tailrace.http;

import com.github.f4b6a3.uuid.UuidCreator;
import io.vertx.core.Vertx;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.time.Clock;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import tailrace.bus.BusMessage.WriterState;
import tailrace.config.TailraceConfig;
import tailrace.ingest.BatchParser;
import tailrace.ingest.Masking;
import tailrace.journal.CommitLoop;
import tailrace.journal.Cursors;
import tailrace.journal.Journal;
import tailrace.live.LiveHub;
import tailrace.live.LiveStreams;
import tailrace.metrics.Metrics;
import tailrace.metrics.Prometheus;
import tailrace.postgres.WriterStats;
import tailrace.query.Access;
import tailrace.query.ColdStore;
import tailrace.query.Executions;
import tailrace.query.History;
import tailrace.query.Tiers;
import tailrace.security.Jwt;
import tailrace.security.Sessions;

/** What the event loops of the HTTP server share; each makes its own handlers of it. Safe for any thread. */
public record Services(
        TailraceConfig config,
        Clock clock,
        Metrics metrics,
        Prometheus prometheus,
        Jwt jwt,
        Sessions sessions,
        Masking masking,
        Journal journal,
        CommitLoop loop,
        ColdStore cold,
        LiveStreams streams,
        Supplier<WriterState> writer,
        Supplier<WriterStats> writerStats,
        Cursors cursors) {

    private static final int NOT_WRITING_RETRY_SECONDS = 5;

    /** Patterns of an installation; they were checked when the configuration was read. */
    public static Masking masking(TailraceConfig.Ingest config) {
        return new Masking(config.maskPatterns().stream().map(Pattern::compile).toList());
    }

    public Tiers tiers(Vertx vertx) {
        return new Tiers(vertx, journal, cold);
    }

    public HealthHandler health() {
        return new HealthHandler(
                writer,
                () -> Optional.of(loop.unavailable()).filter(trouble -> !trouble.isEmpty()),
                Optional.ofNullable(Services.class.getPackage().getImplementationVersion())
                        .orElse("development"));
    }

    /** The API of one event loop; called on it. */
    public Router router(Vertx vertx, Tiers tiers, LiveHub hub) {
        var executions = new Executions(tiers, Access.BY_OWNER);
        var auth = new AuthHandler(jwt, sessions, new Origins(Set.of()));
        var handlers = new Routes.Handlers(
                auth,
                new SessionHandler(auth, sessions),
                this::requireTaking,
                new IngestHandler(vertx, config.ingest(), this::parser, metrics),
                new ExecutionHandler(vertx, executions, clock),
                new ExecutionListHandler(vertx, journal),
                new HistoryHandler(executions, new History(tiers)),
                new StreamHandler(executions, tiers, hub),
                new StatsHandler(journal, loop, writer, writerStats),
                health(),
                new MetricsHandler(prometheus.registry()));
        return Routes.create(
                vertx,
                handlers,
                config.http().metricsPort().isEmpty(),
                config.http().benchEndpoint());
    }

    /** Lets nothing be written while another process has that right. */
    private void requireTaking(RoutingContext ctx) {
        WriterState state = writer.get();
        if (!state.taking()) {
            throw Problem.unavailable("not_writing", state.detail(), NOT_WRITING_RETRY_SECONDS);
        }
        ctx.next();
    }

    private BatchParser parser() {
        return new BatchParser(config.ingest(), masking, clock, UuidCreator::getTimeOrderedEpoch);
    }
}
