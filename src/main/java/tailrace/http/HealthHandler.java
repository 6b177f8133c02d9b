package tailrace.http;

import io.vertx.core.Handler;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.util.Optional;
import java.util.function.Supplier;
import tailrace.bus.BusMessage.WriterState;
import tailrace.degradation.Standing;
import tailrace.redis.HotTierStatus;

/**
 * How the process is, for anyone who asks: people and dashboards ({@link #report}), whoever restarts it ({@link #live}),
 * whoever sends it traffic ({@link #ready}). Touches nothing but what it is given, so it answers while everything else
 * is stuck.
 */
public final class HealthHandler {
    private final Supplier<WriterState> writer;
    private final Supplier<Optional<String>> journalTrouble;
    private final Supplier<Standing> standing;
    private final Supplier<Optional<HotTierStatus>> redis;
    private final String version;

    /**
     * The suppliers are called on event loops: they return what is known and do no I/O. What they say is public.
     *
     * @param writer the last state heard
     * @param journalTrouble why the journal cannot be written now, or empty
     * @param standing as of the last sample
     * @param redis how the hot tier beside the journal stands, or empty where none is configured
     */
    public HealthHandler(
            Supplier<WriterState> writer,
            Supplier<Optional<String>> journalTrouble,
            Supplier<Standing> standing,
            Supplier<Optional<HotTierStatus>> redis,
            String version) {
        this.writer = writer;
        this.journalTrouble = journalTrouble;
        this.standing = standing;
        this.redis = redis;
        this.version = version;
    }

    /** {@code /health}: the whole picture; 503 only where the journal cannot be written, which nothing mends by itself. */
    public Handler<RoutingContext> report() {
        return ctx -> answer(ctx, journalTrouble.get().isEmpty() ? 200 : 503, picture());
    }

    /** {@code /health/live}: 200 as long as an event loop turns. */
    public Handler<RoutingContext> live() {
        return ctx -> answer(ctx, 200, new JsonObject().put("status", "ok"));
    }

    /** {@code /health/ready}: 503 while no entries are taken. */
    public Handler<RoutingContext> ready() {
        return ctx -> answer(ctx, takesEntries() ? 200 : 503, picture());
    }

    private boolean takesEntries() {
        return journalTrouble.get().isEmpty() && writer.get().taking();
    }

    private JsonObject picture() {
        WriterState state = writer.get();
        Optional<String> trouble = journalTrouble.get();
        Standing now = standing.get();
        String status = "ok";
        if (trouble.isPresent()) {
            status = "unavailable";
        } else if (!state.taking()) {
            status = "standby";
        } else if (now.degraded()) {
            status = "degraded";
        }
        JsonObject journal = new JsonObject().put("writable", trouble.isEmpty());
        trouble.ifPresent(detail -> journal.put("detail", detail));
        JsonObject writerJson = new JsonObject().put("taking_entries", state.taking());
        if (!state.detail().isEmpty()) {
            writerJson.put("detail", state.detail());
        }
        JsonObject picture = new JsonObject()
                .put("status", status)
                .put("level", now.level())
                .put("reasons", new JsonArray(now.reasons()))
                .put("journal", journal)
                .put("postgres", new JsonObject().put("available", state.database()));
        redis.get().ifPresent(tier -> picture.put("redis", redisJson(tier)));
        return picture.put("writer", writerJson).put("version", version);
    }

    private static JsonObject redisJson(HotTierStatus tier) {
        JsonObject json = new JsonObject().put("available", tier.available());
        return tier.detail().isEmpty() ? json : json.put("detail", tier.detail());
    }

    private static void answer(RoutingContext ctx, int status, JsonObject body) {
        ctx.response()
                .setStatusCode(status)
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                .putHeader(HttpHeaders.CACHE_CONTROL, "no-store")
                .end(body.toBuffer());
    }
}
