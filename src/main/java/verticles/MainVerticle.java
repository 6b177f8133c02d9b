package verticles;

import com.github.benmanes.caffeine.cache.Ticker;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.bus.Address;
import tailrace.bus.BusMessage.WriterState;
import tailrace.config.RedisUrl;
import tailrace.config.TailraceConfig;
import tailrace.degradation.Degradation;
import tailrace.degradation.Sample;
import tailrace.degradation.Shedder;
import tailrace.http.Connections;
import tailrace.http.LongReads;
import tailrace.http.MetricsHandler;
import tailrace.http.ServerCertificate;
import tailrace.http.ServerOptions;
import tailrace.http.Services;
import tailrace.ingest.EntryIntake;
import tailrace.ingest.SenderRates;
import tailrace.journal.Backlog;
import tailrace.journal.CommitLoop;
import tailrace.journal.Cursors;
import tailrace.journal.Journal;
import tailrace.journal.JournalHome;
import tailrace.journal.Trimmer;
import tailrace.live.LiveStreams;
import tailrace.metrics.Metrics;
import tailrace.metrics.Prometheus;
import tailrace.metrics.RetentionMetrics;
import tailrace.postgres.Database;
import tailrace.postgres.FlushHints;
import tailrace.postgres.Inbox;
import tailrace.postgres.JournalAdmission;
import tailrace.postgres.JournalRegistry;
import tailrace.postgres.Listener;
import tailrace.postgres.LogReader;
import tailrace.postgres.LogWriter;
import tailrace.postgres.Ownership;
import tailrace.postgres.Partitions;
import tailrace.postgres.Processes;
import tailrace.postgres.ReadGuard;
import tailrace.postgres.ReaderLoginException;
import tailrace.postgres.Readers;
import tailrace.postgres.Retention;
import tailrace.postgres.RetentionPolicies;
import tailrace.postgres.RetentionSchedule;
import tailrace.postgres.SearchReader;
import tailrace.postgres.StatsReader;
import tailrace.postgres.StatsShipper;
import tailrace.postgres.SummaryReader;
import tailrace.postgres.SummaryShipper;
import tailrace.postgres.Workflows;
import tailrace.postgres.WriterLock;
import tailrace.query.LogSearch;
import tailrace.query.PostgresAccess;
import tailrace.query.PostgresColdStore;
import tailrace.query.SkippingJournal;
import tailrace.redis.RedisHotTier;
import tailrace.security.Jwt;
import tailrace.security.Keys;
import tailrace.security.Sessions;
import tailrace.security.Signatures;
import tailrace.summary.Summarizer;

/**
 * Starts the process in the order in which its parts need each other, storage first, and stops it the other way round.
 * A start that fails stops what it had started. Longer than a verticle should be, because it is the one place where
 * everything is made and handed to who needs it.
 */
public final class MainVerticle extends VerticleBase {
    private static final Logger LOG = LoggerFactory.getLogger(MainVerticle.class);

    private final TailraceConfig config;
    private final Clock clock;
    private final Prometheus prometheus;
    private final Metrics metrics;

    /** How to stop what was started, in order of start; run backwards. */
    private final List<Supplier<Future<?>>> stops = new ArrayList<>();

    private @Nullable Signatures signatures;
    private Optional<ServerCertificate> certificate = Optional.empty();
    private int port;

    public MainVerticle(TailraceConfig config, Clock clock, Prometheus prometheus) {
        this.config = config;
        this.clock = clock;
        this.prometheus = prometheus;
        this.metrics = new Metrics(prometheus.registry());
    }

    /** Where the API listens, once started. */
    public int port() {
        return port;
    }

    @Override
    public Future<?> start() {
        return ServerCertificate.open(vertx, config.http().tls(), metrics)
                .compose(found -> {
                    certificate = found;
                    return Keys.open(vertx, config, metrics);
                })
                .compose(found -> {
                    signatures = found;
                    stops.add(found::close);
                    return blocking(() -> new JournalHome(
                            config.dataDir(),
                            config.journal().sync(),
                            config.journal().maxBytes(),
                            clock));
                })
                .compose(this::openDatabase)
                .recover(failure -> stopAll().transform(stopped -> Future.failedFuture(failure)));
    }

    private Future<Void> openDatabase(JournalHome home) {
        stops.add(() -> blocking(() -> {
            home.close();
            return home;
        }));
        return Database.open(vertx, config.database(), config.dataDir()).compose(database -> {
            stops.add(database::close);
            return admit(home, database);
        });
    }

    /** Takes the writer's lock, and lets PostgreSQL say whether the journal may go on. */
    private Future<Void> admit(JournalHome home, Database database) {
        var registry = new JournalRegistry(database);
        var admission = new JournalAdmission(
                vertx, database, registry, home, config.writer().lanes());
        var lock = new WriterLock(vertx, database);
        lock.admission(admission::admit);
        if (home.registered()) {
            lock.heldBefore();
        }
        stops.add(lock::close);
        return lock.start()
                .compose(first -> known(home, lock))
                .compose(ready -> readers(database, lock))
                .compose(ready -> {
                    admission.started();
                    return run(home, database, registry, lock);
                });
    }

    /** Without its database a journal that was never registered cannot know which seqs were given. */
    private static Future<Void> known(JournalHome home, WriterLock lock) {
        Promise<Void> known = Promise.promise();
        lock.listen(state -> {
            if (state.database() || home.registered()) {
                known.tryComplete();
            } else if (!known.future().isComplete()) {
                LOG.warn("Waiting for PostgreSQL, without which a new journal cannot start: {}", state.detail());
            }
        });
        return known.future();
    }

    /** A login for readers must be there; a PostgreSQL that is away is asked for it when it is back. */
    private static Future<Void> readers(Database database, WriterLock lock) {
        Future<Void> first = lock.state().database() ? database.prepareReaders() : Future.succeededFuture();
        return first.recover(failure -> failure instanceof ReaderLoginException
                        ? Future.failedFuture(failure)
                        : Future.succeededFuture())
                .onSuccess(done -> lock.listen(state -> {
                    if (state.database()) {
                        database.prepareReaders()
                                .onFailure(failure -> LOG.error("Nobody can read PostgreSQL", failure));
                    }
                }));
    }

    private Future<Void> run(JournalHome home, Database database, JournalRegistry registry, WriterLock lock) {
        var journal = home.journal();
        var degradation = new Degradation(config.backpressure(), config.journal(), metrics);
        var shedder = new Shedder(config.backpressure().strategy(), degradation::standing, clock);
        var loop = new CommitLoop(
                        journal,
                        config.journal(),
                        config.retention().hotTtl(),
                        clock,
                        metrics,
                        shedder,
                        commit -> vertx.eventBus().publish(Address.APPENDED, commit))
                .start();
        stops.add(() -> blocking(() -> {
            loop.close();
            return loop;
        }));
        metrics.gauge("tailrace.journal.bytes", "Bytes of the journal's files", journal, files -> files.sizeBytes());
        metrics.gauge("tailrace.journal.wal.syncs", "fsyncs of the journal", journal, files -> files.walSyncs());
        var partitions = new Partitions(database, clock);
        var writer = new LogWriter(vertx, database, registry, partitions, journal, config.writer(), metrics);
        var cursors = new Cursors();
        cursors.add("postgres", writer::position);
        var summarizer = new Summarizer(journal, clock, metrics);
        cursors.add("summaries", summarizer::passed);
        Optional<RedisHotTier> redis = redis(journal);
        redis.ifPresent(tier -> cursors.add("redis", tier::position));
        var readGuard = new ReadGuard(metrics);
        var readers = new Readers(database);
        var access = new PostgresAccess(new Ownership(database, readers), readGuard, Ticker.systemTicker());
        lock.listen(state -> readGuard.available(state.database()));
        var retention = new RetentionSchedule(
                new Retention(vertx, database, partitions, config.retention(), clock),
                config.retention().cleanupInterval(),
                clock,
                new RetentionMetrics(prometheus.registry()));
        var jwt = new Jwt(
                Objects.requireNonNull(signatures),
                config.security().issuer(),
                config.security().audience(),
                clock);
        var masking = Services.masking(config.ingest());
        var stats = new StatsShipper(
                vertx,
                database,
                journal.stats(),
                () -> lock.state().held(),
                home::generation,
                summarizer::keptUntilMicros,
                metrics);
        var listener = new Listener(vertx, database, metrics);
        listener.onOwnersChanged(access::ownersChanged);
        var intake = new EntryIntake(vertx, Services.parser(config, masking, clock), metrics);
        var inbox = new Inbox(
                vertx,
                database,
                intake::take,
                () -> lock.state().held(),
                config.ingest().maxBatchBytes(),
                listener,
                clock,
                metrics);
        var services = new Services(
                config,
                clock,
                metrics,
                prometheus,
                jwt,
                new Sessions(clock),
                masking,
                new SkippingJournal(journal),
                loop,
                new PostgresColdStore(
                        new LogReader(database, readers),
                        readGuard,
                        clock,
                        config.retention().logDays()),
                new LogSearch(new SearchReader(readers, database), readGuard),
                new LiveStreams(
                        config.live().maxStreams(), config.http().limits().streamsPerPrincipal(), metrics),
                new LongReads(metrics),
                () -> state(lock.state()),
                writer::stats,
                inbox::stats,
                cursors,
                degradation,
                shedder,
                new SenderRates(config.http().limits().ingestRate(), System::nanoTime),
                new Connections(config.http().limits().maxConnections(), metrics),
                certificate,
                new Workflows(database, readers, access::ownersChanged),
                access,
                new RetentionPolicies(database),
                retention::status,
                redis,
                summarizer,
                journal.summaries(),
                new SummaryReader(database, readers, readGuard),
                writer::position,
                new StatsReader(database, readers, readGuard),
                stats::writtenUntilMicros);
        Duration lastFlush = config.http().shutdownTimeout().dividedBy(2);
        var trimmer = new Trimmer(journal, loop, cursors, config.journal(), config.retention(), clock, metrics);
        var shipper = new SummaryShipper(
                vertx, database, journal.summaries(), () -> lock.state().held(), home::generation, clock, metrics);
        var backlog = new Backlog(journal, cursors, clock, metrics);
        return deploy(new JournalVerticle(
                        loop, trimmer, backlog, config.retention().cleanupInterval()))
                .compose(done -> deploy(new SummaryVerticle(summarizer, shipper, stats, lastFlush.dividedBy(2))))
                .compose(done -> deploy(new BatchWriterVerticle(writer, lock, config.writer(), lastFlush)))
                .compose(done -> redis.map(tier -> deploy(new HotTierVerticle(tier, lastFlush.dividedBy(2))))
                        .orElseGet(Future::succeededFuture))
                .compose(done -> deploy(new DegradationVerticle(
                        degradation,
                        () -> new Sample(
                                state(lock.state()),
                                redis.map(RedisHotTier::available),
                                backlog.neededBytes(),
                                loop.queuedBytes()))))
                .compose(done -> deploy(notify(database, lock, listener, inbox)))
                .compose(done -> deploy(new RetentionVerticle(retention)))
                .compose(done -> listen(services));
    }

    private NotifyVerticle notify(Database database, WriterLock lock, Listener listener, Inbox inbox) {
        var processes = new Processes(vertx, database, () -> lock.state().held(), clock, metrics);
        var hints = new FlushHints(vertx, database, listener, processes::others, metrics);
        return new NotifyVerticle(listener, inbox, processes, hints, NotifyVerticle.POLL);
    }

    private Optional<RedisHotTier> redis(Journal journal) {
        return config.redis()
                .url()
                .map(url -> new RedisHotTier(
                        vertx,
                        RedisUrl.parse(url.value()),
                        config.redis(),
                        config.retention().hotTtl(),
                        journal,
                        clock,
                        metrics));
    }

    private Future<Void> listen(Services services) {
        ServerOptions.warnIfExposed(config.http());
        int wanted = config.http().port() == 0 ? -1 : config.http().port();
        var first = new HttpVerticle(services, wanted);
        Future<Void> listening = deploy(first)
                .onSuccess(done -> {
                    port = first.actualPort();
                    certificate.ifPresent(files -> first.server().ifPresent(files::watch));
                })
                .mapEmpty();
        certificate.ifPresent(files -> stops.add(() -> {
            files.close();
            return Future.succeededFuture();
        }));
        for (int instance = 1; instance < Runtime.getRuntime().availableProcessors(); instance++) {
            listening = listening.compose(done -> deploy(new HttpVerticle(services, wanted)));
        }
        return listening.compose(done -> config.http()
                .metricsPort()
                .map(own -> new MetricsHandler(prometheus.registry())
                        .listen(vertx, config.http().host(), own, services.health(), services.guard(vertx))
                        .onSuccess(server -> stops.add(server::close))
                        .<Void>mapEmpty())
                .orElseGet(Future::succeededFuture));
    }

    private static WriterState state(WriterLock.State lock) {
        return new WriterState(lock.database(), lock.taking(), lock.detail());
    }

    private Future<Void> deploy(VerticleBase verticle) {
        return vertx.deployVerticle(verticle)
                .onSuccess(id -> stops.add(() -> vertx.undeploy(id)))
                .mapEmpty();
    }

    private <T> Future<T> blocking(Callable<T> work) {
        return vertx.executeBlocking(work, false);
    }

    /**
     * Stops everything in order. To be called before this verticle is undeployed: Vert.x ends the verticles that one has
     * deployed before it asks that one, all at once.
     */
    public Future<Void> shutdown() {
        Promise<Void> done = Promise.promise();
        context.runOnContext(none -> stopAll().onComplete(done));
        return done.future();
    }

    private Future<Void> stopAll() {
        Future<Void> stopped = Future.succeededFuture();
        for (int i = stops.size() - 1; i >= 0; i--) {
            Supplier<Future<?>> next = stops.get(i);
            stopped = stopped.eventually(() ->
                    next.get().onFailure(failure -> LOG.warn("A part of the server did not stop in order", failure)));
        }
        stops.clear();
        return stopped.otherwiseEmpty();
    }
}
