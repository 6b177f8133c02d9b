package tailrace.cli;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientAgent;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.URI;
import java.time.Clock;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Plays lifelike workflows for ever, through the public HTTP API and nothing else. One run after the other, one batch at
 * a time: while the server is away the play stands still, and goes on with the same batch under the same ids, so nothing
 * is doubled and nothing piles up. All state belongs to one Vert.x context; {@link #start} and {@link #stop} may be
 * called from any thread.
 */
public final class DemoWorkflow {
    private static final Logger LOG = LoggerFactory.getLogger(DemoWorkflow.class);
    private static final long REQUEST_TIMEOUT_MS = 10_000;
    private static final long STOP_TIMEOUT_MS = 2_000;
    private static final long FIRST_BACKOFF_MS = 250;
    private static final long MAX_BACKOFF_MS = 10_000;
    private static final long BETWEEN_RUNS_MS = 3_000;

    private final Vertx vertx;
    private final HttpClientAgent client;
    private final URI base;
    private final String token;
    private final Random random;
    private final Clock clock;
    private final double speed;
    private final DemoScript script;
    private final Context context;
    private final Promise<String> started = Promise.promise();

    // Below: only on the context.
    private Iterator<DemoScript.Moment> moments = List.<DemoScript.Moment>of().iterator();
    private String executionId = "";
    private String workflowId = "";
    private long timer = -1;
    private long backoffMs = FIRST_BACKOFF_MS;
    private boolean stopped;

    /** A batch with what makes it repeatable. */
    private record Batch(String executionId, String key, Buffer body) {}

    /** Plays at normal speed; see the other constructor. */
    public DemoWorkflow(Vertx vertx, URI base, String token, Random random, Clock clock) {
        this(vertx, base, token, random, clock, 1);
    }

    /** Without TLS, or trusting as the JVM does; see the other constructor. */
    public DemoWorkflow(Vertx vertx, URI base, String token, Random random, Clock clock, double speed) {
        this(vertx, base, token, random, clock, speed, new HttpClientOptions());
    }

    /**
     * @param base of the server, such as {@code http://127.0.0.1:8080}
     * @param token of a service
     * @param random all that happens and all ids come from it; a fixed seed gives the same play again, and the same ids
     * @param clock what entries say they happened at
     * @param connection whom to trust, where the URL is one of https
     * @param speed 1 is a few entries a second; 0.1–1,000
     * @throws IllegalArgumentException if the speed is outside or the URL is not one of HTTP
     */
    public DemoWorkflow(
            Vertx vertx,
            URI base,
            String token,
            Random random,
            Clock clock,
            double speed,
            HttpClientOptions connection) {
        if (!(speed >= 0.1 && speed <= 1_000)) {
            throw new IllegalArgumentException("speed must be from 0.1 to 1,000, not " + speed);
        }
        if (base.getHost() == null || !("http".equals(base.getScheme()) || "https".equals(base.getScheme()))) {
            throw new IllegalArgumentException("the server's URL must look like http://127.0.0.1:8080, not " + base);
        }
        this.vertx = vertx;
        this.base = base;
        this.token = token;
        this.random = random;
        this.clock = clock;
        this.speed = speed;
        this.script = new DemoScript(random);
        this.context = vertx.getOrCreateContext();
        this.client =
                vertx.createHttpClient(new HttpClientOptions(connection).setConnectTimeout((int) REQUEST_TIMEOUT_MS));
    }

    /** Begins to play. The future has the first execution's id as soon as the server took its first entry. */
    public Future<String> start() {
        context.runOnContext(ignored -> nextRun());
        return started.future();
    }

    /**
     * Ends the play: the run under way is reported as stopped if the server takes that within two seconds. Never fails.
     */
    public Future<Void> stop() {
        Promise<Void> done = Promise.promise();
        context.runOnContext(ignored -> {
            boolean first = !stopped;
            stopped = true;
            vertx.cancelTimer(timer);
            started.tryFail("stopped before the server took an entry");
            Future<?> last = first && moments.hasNext()
                    ? post(batch(List.of(new DemoEntry("INFO", "workflow_completed", "run stopped with the demo")
                                    .friendly("Stopped")
                                    .data("status", "STOPPED"))))
                            .timeout(STOP_TIMEOUT_MS, TimeUnit.MILLISECONDS)
                    : Future.succeededFuture();
            last.onFailure(failure -> LOG.debug("the end of a demo run was not reported", failure))
                    .eventually(client::close)
                    .onComplete(end -> done.complete());
        });
        return done.future();
    }

    private void nextRun() {
        if (stopped) {
            return;
        }
        DemoScript.Run run = script.next();
        workflowId = run.workflowId();
        // The time makes ids of two plays differ even where the random source is seeded.
        executionId = String.format(
                Locale.ROOT,
                "%s-%s-%04x",
                run.workflowId(),
                Long.toString(clock.millis(), 36),
                random.nextInt(0x10000));
        moments = run.moments().iterator();
        nextMoment();
    }

    private void nextMoment() {
        if (!moments.hasNext()) {
            after((long) (BETWEEN_RUNS_MS / speed), this::nextRun);
            return;
        }
        DemoScript.Moment moment = moments.next();
        after((long) (moment.delayMs() / speed), () -> play(batch(moment.entries())));
    }

    private Batch batch(List<DemoEntry> entries) {
        JsonArray posted = new JsonArray();
        entries.forEach(entry -> posted.add(entry.posted(uuid(), clock.instant())));
        JsonObject defaults = new JsonObject().put("execution_id", executionId).put("workflow_id", workflowId);
        Buffer body = new JsonObject()
                .put("defaults", defaults)
                .put("entries", posted)
                .toBuffer();
        return new Batch(executionId, uuid().toString(), body);
    }

    private UUID uuid() {
        long high = random.nextLong() & ~0xf000L | 0x4000L;
        long low = random.nextLong() & ~0xc000000000000000L | 0x8000000000000000L;
        return new UUID(high, low);
    }

    /** Posts until the server has it, or says that it never will. */
    private void play(Batch batch) {
        post(batch).onComplete(answer -> {
            if (stopped) {
                return;
            }
            if (answer.failed()) {
                again(batch, answer.cause().toString());
                return;
            }
            Answer got = answer.result();
            if (got.status() / 100 == 2) {
                backoffMs = FIRST_BACKOFF_MS;
                started.tryComplete(batch.executionId());
                nextMoment();
            } else if (got.refusesForGood()) {
                LOG.error("the server refuses what the demo says: {} {}", got.status(), got.detail());
                after(MAX_BACKOFF_MS, this::nextRun);
            } else {
                again(batch, "status " + got.status() + ' ' + got.detail());
            }
        });
    }

    /** Waits longer each time, by a random part, so that many players do not come back at once. */
    private void again(Batch batch, String why) {
        long wait = backoffMs / 2 + random.nextLong(backoffMs / 2 + 1);
        LOG.warn("the demo's entries were not taken, trying again in {} ms: {}", wait, why);
        backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS);
        after(wait, () -> play(batch));
    }

    private record Answer(int status, String detail) {
        /** Whether the same batch would be refused again. 401 is not: the token may be accepted after a restart. */
        boolean refusesForGood() {
            return status == 400 || status == 404 || status == 409 || status == 413 || status == 415 || status == 422;
        }
    }

    private Future<Answer> post(Batch batch) {
        RequestOptions options = new RequestOptions()
                .setMethod(HttpMethod.POST)
                .setAbsoluteURI(base.toString().replaceAll("/+$", "") + "/v2/logs/batch")
                .setTimeout(REQUEST_TIMEOUT_MS)
                .putHeader("Authorization", "Bearer " + token)
                .putHeader("Content-Type", "application/json")
                .putHeader("Idempotency-Key", batch.key());
        return client.request(options)
                .compose(request -> request.send(batch.body()))
                .compose(response -> response.body()
                        .map(body -> new Answer(response.statusCode(), HttpConnection.printable(body.toString()))));
    }

    private void after(long ms, Runnable what) {
        if (!stopped) {
            timer = vertx.setTimer(Math.max(1, ms), ignored -> what.run());
        }
    }
}
