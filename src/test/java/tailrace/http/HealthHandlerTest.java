package tailrace.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tailrace.bus.BusMessage.WriterState;
import tailrace.degradation.Standing;
import tailrace.degradation.Standing.Cause;
import tailrace.redis.HotTierStatus;

class HealthHandlerTest {
    private final AtomicReference<WriterState> writer = new AtomicReference<>(new WriterState(true, true, ""));
    private final AtomicReference<Optional<String>> journal = new AtomicReference<>(Optional.empty());
    private final AtomicReference<Standing> standing =
            new AtomicReference<>(new Standing(1, List.of(), 0, Cause.JOURNAL_BACKLOG, Optional.empty(), true));
    private final AtomicReference<Optional<HotTierStatus>> redis = new AtomicReference<>(Optional.empty());
    private final HttpTestServer server = new HttpTestServer(router -> {
        HealthHandler health = new HealthHandler(writer::get, journal::get, standing::get, redis::get, "1.2.3");
        router.get("/health").handler(health.report());
        router.get("/health/live").handler(health.live());
        router.get("/health/ready").handler(health.ready());
    });

    HealthHandlerTest() throws Exception {}

    @AfterEach
    void close() throws Exception {
        server.close();
    }

    private void expect(int health, int ready, String status, int level) throws Exception {
        assertThat(server.get("/health").statusCode()).isEqualTo(health);
        assertThat(server.get("/health/ready").statusCode()).isEqualTo(ready);
        assertThat(server.get("/health/live").statusCode()).isEqualTo(200);
        JsonObject body = new JsonObject(server.get("/health").body());
        assertThat(body.getString("status")).isEqualTo(status);
        assertThat(body.getInteger("level")).isEqualTo(level);
    }

    @Test
    void allIsWell() throws Exception {
        expect(200, 200, "ok", 1);
        assertThat(new JsonObject(server.get("/health").body())).isEqualTo(new JsonObject("""
                                {"status":"ok","level":1,"reasons":[],"journal":{"writable":true},"postgres":{"available":true},
                                 "writer":{"taking_entries":true},"version":"1.2.3"}
                                """));
    }

    @Test
    void redisIsNamedWhereItIsConfigured() throws Exception {
        redis.set(Optional.of(new HotTierStatus(true, "", 1, 0, 0, 1, 0, "CLOSED", "CLOSED")));
        assertThat(redisPart()).isEqualTo(new JsonObject().put("available", true));

        redis.set(Optional.of(new HotTierStatus(false, "does not answer", 1, 9, 3, 1, 0, "OPEN", "OPEN")));
        assertThat(redisPart())
                .isEqualTo(new JsonObject().put("available", false).put("detail", "does not answer"));
        expect(200, 200, "ok", 1);
    }

    private JsonObject redisPart() throws Exception {
        return new JsonObject(server.get("/health").body()).getJsonObject("redis");
    }

    @Test
    void postgresAwayIsLevelTwoAndStillReady() throws Exception {
        writer.set(new WriterState(false, true, "PostgreSQL does not answer"));
        standing.set(new Standing(
                2, List.of("PostgreSQL does not answer"), 0, Cause.JOURNAL_BACKLOG, Optional.empty(), true));
        expect(200, 200, "degraded", 2);
        for (String path : List.of("/health", "/health/ready")) {
            JsonObject body = new JsonObject(server.get(path).body());
            assertThat(body.getJsonArray("reasons")).containsExactly("PostgreSQL does not answer");
            assertThat(body.getJsonObject("postgres").getBoolean("available")).isFalse();
            assertThat(body.containsKey("redis")).isFalse();
        }
    }

    @Test
    void redisAwayAloneChangesTheStatusAndNotTheLevel() throws Exception {
        standing.set(
                new Standing(1, List.of("Redis does not answer"), 0, Cause.JOURNAL_BACKLOG, Optional.of(false), true));
        redis.set(Optional.of(new HotTierStatus(false, "does not answer", 1, 9, 3, 1, 0, "OPEN", "OPEN")));
        expect(200, 200, "degraded", 1);
        assertThat(redisPart().getBoolean("available")).isFalse();
    }

    @Test
    void sheddingIsLevelFourAndStillReady() throws Exception {
        standing.set(
                new Standing(4, List.of("the journal is full"), 0.5, Cause.JOURNAL_BACKLOG, Optional.empty(), true));
        expect(200, 200, "degraded", 4);
    }

    @Test
    void withoutTheWritersLockItIsNotReady() throws Exception {
        writer.set(new WriterState(true, false, "another process holds the writer's lock"));
        expect(200, 503, "standby", 1);
        assertThat(new JsonObject(server.get("/health/ready").body())
                        .getJsonObject("writer")
                        .getString("detail"))
                .isEqualTo("another process holds the writer's lock");
    }

    @Test
    void aJournalThatCannotBeWrittenIsTheWorst() throws Exception {
        journal.set(Optional.of("the disk is full"));
        expect(503, 503, "unavailable", 1);
        assertThat(new JsonObject(server.get("/health").body())
                        .getJsonObject("journal")
                        .getString("detail"))
                .isEqualTo("the disk is full");
    }
}
