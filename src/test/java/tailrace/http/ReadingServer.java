package tailrace.http;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import tailrace.bus.Address;
import tailrace.bus.BusMessage;
import tailrace.bus.LocalCodec;
import tailrace.config.TailraceConfig;
import tailrace.live.LiveHub;
import tailrace.live.LiveStreams;
import tailrace.metrics.Metrics;
import tailrace.model.EntryFields;
import tailrace.model.ExecutionStatus;
import tailrace.model.Timestamps;
import tailrace.query.Access;
import tailrace.query.EntryStore;
import tailrace.query.Executions;
import tailrace.query.FakeCold;
import tailrace.query.FakeJournal;
import tailrace.query.History;
import tailrace.query.JournalWorkflows;
import tailrace.query.Tiers;
import tailrace.security.Principal;

/**
 * The reading half of the server over stores in memory: real HTTP on a loopback port. A token is {@code service} or
 * {@code NAME} or {@code NAME@EXP}.
 */
public final class ReadingServer implements AutoCloseable {
    public static final TailraceConfig.Live LIVE = new TailraceConfig.Live(
            Duration.ofSeconds(15),
            Duration.ofMillis(5),
            Duration.ofSeconds(60),
            Duration.ofSeconds(2),
            Duration.ofSeconds(2),
            5_000);

    public final FakeJournal journal = new FakeJournal();
    public final FakeCold cold = new FakeCold();
    public final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    public final Vertx vertx;
    public final LiveStreams streams;
    final LongReads longReads;
    public final List<LiveHub> hubs = new ArrayList<>();
    public final AtomicLong clockAheadMillis = new AtomicLong();
    private final Clock clock = aheadBy(clockAheadMillis);
    private final Metrics metrics = new Metrics(registry);
    private final TailraceConfig.Live live;
    private final UnaryOperator<EntryStore> decorator;
    private volatile int port;

    /** Whether the bus says nothing; everything has to be found by looking. */
    public volatile boolean dropMessages;

    public ReadingServer(TailraceConfig.Live live, UnaryOperator<EntryStore> decorator, int instances) {
        this.live = live;
        this.decorator = decorator;
        vertx = Vertx.vertx();
        LocalCodec.register(vertx);
        streams = new LiveStreams(live.maxStreams(), metrics);
        longReads = new LongReads(metrics);
        await(vertx.deployVerticle(() -> new Http(), new io.vertx.core.DeploymentOptions().setInstances(instances)));
    }

    public static ReadingServer start() {
        return new ReadingServer(LIVE, store -> store, 1);
    }

    public static ReadingServer start(TailraceConfig.Live live) {
        return new ReadingServer(live, store -> store, 1);
    }

    public int port() {
        return port;
    }

    private final class Http extends VerticleBase {
        private @Nullable LiveHub hub;

        @Override
        public Future<?> start() {
            EntryStore store = decorator.apply(new Tiers(vertx, journal, cold));
            var executions = new Executions(store, Access.BY_OWNER);
            var liveHub = new LiveHub(
                    vertx,
                    store,
                    new JournalWorkflows(vertx, journal, journal, journal::lastPosition),
                    live,
                    streams,
                    metrics,
                    clock);
            hub = liveHub;
            synchronized (hubs) {
                hubs.add(liveHub);
            }
            vertx.eventBus().<BusMessage.Appended>consumer(Address.APPENDED, m -> liveHub.onAppended(m.body()));
            Router router = Router.router(vertx);
            ProblemHandler.install(router);
            router.route().handler(new RequestIdHandler());
            router.route().handler(ReadingServer::authenticate);
            var history = new HistoryHandler(executions, new History(store));
            router.get("/api/v1/app/executions/:id/logs").handler(history);
            router.get("/v2/workflows/executions/:id/logs").handler(history);
            router.get("/v2/executions/:id/logs/export")
                    .handler(new ExportHandler(vertx, executions, store, longReads));
            router.get("/v2/executions/:id/logs/diff").handler(new DiffHandler(vertx, executions, store, longReads));
            router.get("/admin/runs/:id/logs").handler(new RunLogsHandler(vertx, executions, store));
            var stream = StreamHandler.sse(executions, store, liveHub, streams);
            router.get("/v2/executions/:id/logs/ws")
                    .handler(StreamHandler.webSocket(executions, store, liveHub, streams));
            router.get("/v2/logs/stream").handler(new ManyStreamHandler(executions, store, liveHub, streams));
            router.get("/api/v1/app/executions/:id/logs/stream").handler(stream);
            router.get("/v2/executions/:id/logs/stream").handler(stream);
            var execution = new ExecutionHandler(vertx, executions, clock);
            router.get("/v2/executions/:id").handler(execution::get);
            router.put("/v2/executions/:id")
                    .handler(AuthHandler.requireService())
                    .handler(BodyHandler.create())
                    .handler(execution::put);
            // Negative: any free port, the same for all instances, which start at once.
            var options = new HttpServerOptions()
                    .setHost("127.0.0.1")
                    .setPort(-1)
                    .setMaxInitialLineLength(32 << 10)
                    .setMaxWebSocketFrameSize(4096)
                    .setPerMessageWebSocketCompressionSupported(false)
                    .setPerFrameWebSocketCompressionSupported(false)
                    .setStrictThreadMode(true);
            return vertx.createHttpServer(options)
                    .requestHandler(router)
                    .listen()
                    .onSuccess(server -> port = server.actualPort());
        }

        @Override
        public Future<?> stop() {
            LiveHub open = hub;
            return open == null ? Future.succeededFuture() : open.close();
        }
    }

    private static void authenticate(RoutingContext ctx) {
        String header = ctx.request().getHeader("Authorization");
        String token = header != null
                ? header.substring("Bearer ".length())
                : ctx.request().getParam("access_token");
        if (token == null) {
            token = "service";
        }
        int at = token.indexOf('@');
        long exp = at < 0 ? Long.MAX_VALUE : Long.parseLong(token.substring(at + 1));
        String name = at < 0 ? token : token.substring(0, at);
        ctx.put(Principal.KEY, new Principal(name, name.equals("service"), exp));
        ctx.next();
    }

    /** The machine's clock, which a test may put forward. */
    private static Clock aheadBy(AtomicLong millis) {
        return new Clock() {
            @Override
            public ZoneId getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(ZoneId zone) {
                throw new UnsupportedOperationException("nobody here asks for another zone");
            }

            @Override
            public Instant instant() {
                return Instant.now().plusMillis(millis.get());
            }
        };
    }

    public void claim(String executionId, @Nullable String workflowId, String userId) {
        publish(journal.claim(executionId, workflowId, userId, nowMicros()));
    }

    public long nowMicros() {
        return Timestamps.micros(clock.instant());
    }

    public EntryFields entry(String message) {
        return FakeJournal.entry(message, nowMicros());
    }

    /** Commits and announces. */
    public void append(String executionId, EntryFields... fields) {
        publish(journal.append(executionId, List.of(fields)));
    }

    /** Commits and announces that many plain entries, in one commit. */
    public void appendMany(String executionId, int count) {
        EntryFields[] fields = new EntryFields[count];
        for (int i = 0; i < count; i++) {
            fields[i] = entry("m" + i);
        }
        append(executionId, fields);
    }

    public void register(String executionId, ExecutionStatus status, String userId) {
        publish(journal.update(executionId, status, userId, nowMicros()));
    }

    public void publish(BusMessage.Appended appended) {
        if (!dropMessages) {
            vertx.eventBus().publish(Address.APPENDED, appended);
        }
    }

    public static <T> T await(Future<T> future) {
        try {
            return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        await(vertx.close());
    }
}
