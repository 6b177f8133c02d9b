package tailrace.http;

import com.github.f4b6a3.uuid.UuidCreator;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import tailrace.bus.BusMessage.WriterState;
import tailrace.config.TailraceConfig;
import tailrace.degradation.Degradation;
import tailrace.degradation.Shedder;
import tailrace.ingest.BatchParser;
import tailrace.ingest.Masking;
import tailrace.ingest.SenderRates;
import tailrace.journal.CommitLoop;
import tailrace.journal.Cursors;
import tailrace.journal.ExecutionIndex;
import tailrace.journal.Journal;
import tailrace.live.LiveHub;
import tailrace.live.LiveStreams;
import tailrace.metrics.Metrics;
import tailrace.metrics.Prometheus;
import tailrace.postgres.InboxStats;
import tailrace.postgres.RetentionPolicies;
import tailrace.postgres.RetentionSchedule;
import tailrace.postgres.StatsReader;
import tailrace.postgres.SummaryReader;
import tailrace.postgres.Workflows;
import tailrace.postgres.WriterStats;
import tailrace.query.Access;
import tailrace.query.ColdStore;
import tailrace.query.ExecutionList;
import tailrace.query.Executions;
import tailrace.query.History;
import tailrace.query.JournalWorkflows;
import tailrace.query.LogSearch;
import tailrace.query.PostgresColdList;
import tailrace.query.RedisHotStore;
import tailrace.query.StatsReads;
import tailrace.query.SummaryReads;
import tailrace.query.Tiers;
import tailrace.redis.HotTierStatus;
import tailrace.redis.RedisHotTier;
import tailrace.security.Jwt;
import tailrace.security.Sessions;
import tailrace.summary.Summaries;
import tailrace.summary.Summarizer;

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
        LogSearch search,
        LiveStreams streams,
        LongReads longReads,
        Supplier<WriterState> writer,
        Supplier<WriterStats> writerStats,
        Supplier<InboxStats> inboxStats,
        Cursors cursors,
        Degradation degradation,
        Shedder shedder,
        SenderRates rates,
        Connections connections,
        Optional<ServerCertificate> certificate,
        Workflows workflows,
        Access access,
        RetentionPolicies policies,
        Supplier<RetentionSchedule.Status> retention,
        Optional<RedisHotTier> redis,
        Summarizer summarizer,
        ExecutionIndex index,
        SummaryReader coldSummaries,
        LongSupplier flushed,
        StatsReader coldStats,
        LongSupplier statsUntilMicros) {

    private static final int NOT_WRITING_RETRY_SECONDS = 5;
    private static final int UNREAD_SECONDS_MORE = 10;

    /** Makes the rules, once for all who parse. */
    public static Masking masking(TailraceConfig.Ingest config) {
        return new Masking(config.mask());
    }

    /** The tiers as the event loop it is called on reads them. */
    public Tiers tiers(Vertx vertx) {
        return redis.map(tier -> new Tiers(vertx, journal, cold, new RedisHotStore(tier)))
                .orElseGet(() -> new Tiers(vertx, journal, cold));
    }

    private Optional<HotTierStatus> redisStatus() {
        return redis.map(RedisHotTier::status);
    }

    public HealthHandler health() {
        return new HealthHandler(
                writer,
                () -> Optional.of(loop.unavailable()).filter(trouble -> !trouble.isEmpty()),
                degradation::standing,
                this::redisStatus,
                Optional.ofNullable(Services.class.getPackage().getImplementationVersion())
                        .orElse("development"));
    }

    /** Watches the connections of one event loop; called on it. */
    public ConnectionGuard guard(Vertx vertx) {
        // Streams have the same patience and say more when it ends; this is for all other answers.
        Duration unread = config.live().stuckTimeout().plusSeconds(UNREAD_SECONDS_MORE);
        return new ConnectionGuard(vertx, connections, config.http().limits().requestTimeout(), unread);
    }

    public HttpServerOptions serverOptions(int port) {
        return ServerOptions.of(config.http().host(), port, certificate.map(ServerCertificate::options));
    }

    /** The live streams of the event loop it is called on. */
    public LiveHub hub(Vertx vertx, Tiers tiers) {
        return new LiveHub(
                vertx,
                tiers,
                new JournalWorkflows(vertx, journal, index, summarizer::position),
                config.live(),
                streams,
                metrics,
                clock);
    }

    /** The API of one event loop; called on it. */
    public Router router(Vertx vertx, Tiers tiers, LiveHub hub) {
        var executions = new Executions(tiers, access);
        var list = new ExecutionList(
                vertx, journal, index, summarizer::position, flushed, new PostgresColdList(coldSummaries), executions);
        var summaries = new SummaryReads(vertx, journal, new Summaries(summarizer, journal), coldSummaries, tiers);
        var auth = new AuthHandler(jwt, sessions, new Origins(config.http().corsOrigins()));
        var handlers = new Routes.Handlers(
                auth,
                new SessionHandler(auth, sessions),
                this::requireTaking,
                new IngestHandler(
                        vertx, config.ingest(), () -> parser(config, masking, clock), shedder, rates, metrics),
                new ExecutionHandler(vertx, executions, clock),
                new ExecutionListHandler(list),
                new SummaryHandler(executions, summaries),
                new RecentLogsHandler(list, summaries, tiers),
                new HistoryHandler(executions, new History(tiers)),
                new ExportHandler(vertx, executions, tiers, longReads),
                new DiffHandler(vertx, executions, tiers, longReads),
                new RunLogsHandler(vertx, executions, tiers),
                new SearchHandler(
                        search, workflows, writerStats, config.writer().persistAll(), clock),
                StreamHandler.sse(executions, tiers, hub, streams),
                StreamHandler.webSocket(executions, tiers, hub, streams),
                new ManyStreamHandler(executions, tiers, hub, streams),
                new WorkflowHandler(workflows),
                new WorkflowStatsHandler(
                        vertx, new StatsReads(vertx, coldStats, search, workflows), statsUntilMicros, clock),
                new RetentionHandler(policies, config.retention().logDays()),
                new StatsHandler(
                        journal,
                        loop,
                        degradation,
                        writerStats,
                        inboxStats,
                        cursors,
                        metrics,
                        retention,
                        this::redisStatus),
                health(),
                new MetricsHandler(prometheus.registry()));
        return Routes.create(vertx, handlers, config.http());
    }

    /** Lets nothing be written while another process has that right. */
    private void requireTaking(RoutingContext ctx) {
        WriterState state = writer.get();
        if (!state.taking()) {
            throw Problem.unavailable("not_writing", state.detail(), NOT_WRITING_RETRY_SECONDS);
        }
        ctx.next();
    }

    /** One for each thread that parses. */
    public static BatchParser parser(TailraceConfig config, Masking masking, Clock clock) {
        return new BatchParser(config.ingest(), masking, clock, UuidCreator::getTimeOrderedEpoch);
    }
}
