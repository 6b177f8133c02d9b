package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.TestDatabase;
import tailrace.security.Role;

/** Level 4: what is given up when more comes than can be held, who is told, and that it ends. */
class PressureIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String PADDING = "x".repeat(2_000);
    private static final int FLOODERS = 6;
    private static final List<String> EXECUTIONS = List.of("a", "b", "c");

    @TempDir
    private Path directory;

    /** A server whose journal is nearly full with 6.4 MiB that PostgreSQL still needs. */
    private ServerProcess server(TestDatabase database, DatabaseLink link) {
        return ServerProcess.in(directory.resolve("data"))
                .env("DATABASE_URL", database.text(link.port()))
                .env("JOURNAL_MAX_BYTES", "64MiB")
                .env("BACKPRESSURE_THRESHOLD", "10");
    }

    /** One that sends DEBUG, INFO and entries for people in turn, to each execution in turn. */
    private static final class MixedFeed implements AutoCloseable {
        private static final int BATCH = 24;

        private final Api api;
        private final Thread thread = new Thread(this::run, "mixed-feed");
        private final List<String> problems = new ArrayList<>();
        private final long[] accepted = new long[EXECUTIONS.size()];
        private final long[] dropped = new long[EXECUTIONS.size()];
        private final long[] sent = new long[EXECUTIONS.size()];
        private final AtomicLong droppedSoFar = new AtomicLong();
        private volatile boolean stopped;

        MixedFeed(Api api) {
            this.api = api;
            thread.start();
        }

        private void run() {
            for (int batch = 0; !stopped && problems.isEmpty(); batch++) {
                try {
                    send(batch % EXECUTIONS.size());
                } catch (Exception e) {
                    problems.add(e.toString());
                }
            }
        }

        /** Entry n of an execution: n modulo 3 says of what kind it is. */
        private void send(int execution) throws Exception {
            StringBuilder body = new StringBuilder("[");
            for (int i = 0; i < BATCH; i++) {
                long n = sent[execution]++;
                body.append(i == 0 ? "" : ",").append("{\"data\":{\"n\":" + n + "},\"message\":\"" + PADDING + "\"");
                body.append(
                        switch ((int) (n % 3)) {
                            case 0 -> ",\"level\":\"DEBUG\"}";
                            case 1 -> ",\"level\":\"INFO\"}";
                            default -> ",\"user_friendly_message\":\"for people\"}";
                        });
            }
            Api.Answer answer = api.post(
                    "/v2/executions/" + EXECUTIONS.get(execution) + "/logs",
                    body.append(']').toString());
            if (answer.status() != 202) {
                problems.add(answer.status() + " " + answer.body());
                return;
            }
            int took = answer.body().get("accepted").asInt();
            int shed = answer.body().get("dropped").asInt();
            if (took + shed != BATCH || took < BATCH / 3) {
                problems.add("not all accounted for: " + answer.body());
            }
            accepted[execution] += took;
            dropped[execution] += shed;
            droppedSoFar.addAndGet(shed);
        }

        MixedFeed finish() throws InterruptedException {
            stopped = true;
            thread.join();
            assertThat(problems).isEmpty();
            return this;
        }

        @Override
        public void close() throws InterruptedException {
            stopped = true;
            thread.join();
        }
    }

    @Test
    void anOutageThatFillsTheJournalShedsTechnicalEntriesAndSaysSo() throws Exception {
        try (TestDatabase database = TestDatabase.empty();
                DatabaseLink link = new DatabaseLink(database.url().port());
                ServerProcess server = server(database, link).start()) {
            Api service = new Api(server.base(), ServerProcess.serviceToken());
            ServerProbe probe = new ServerProbe(server);
            assertThat(probe.level()).isEqualTo(1);

            // When PostgreSQL goes
            link.cut();
            AwaitCondition.until("level 2", () -> probe.level() == 2);
            MixedFeed feed = new MixedFeed(service);
            try (feed) {
                // And what it misses fills the journal
                AwaitCondition.until("level 4", PATIENCE, () -> probe.level() == 4);
                assertThat(probe.health().get("reasons")).hasSize(2).anySatisfy(reason -> assertThat(reason.asText())
                        .contains("% of JOURNAL_MAX_BYTES"));
                AwaitCondition.until("entries are shed", PATIENCE, () -> feed.droppedSoFar.get() > 100);
                assertThat(probe.metric("tailrace_degradation_level")).isEqualTo(4);
                assertThat(service.get("/v2/logs/stats").body().get("level").asInt())
                        .isEqualTo(4);
                feed.finish();
            }
            // Then it is told once, and readers are not kept waiting for what is away
            assertThat(server.output()).containsOnlyOnce("Degradation level 1 -> 2");
            assertThat(server.output()).containsOnlyOnce("Degradation level 2 -> 4");
            assertThat(service.get("/v2/workflows/executions/unknown/logs").status())
                    .isEqualTo(503);

            // And when PostgreSQL is back, all is well by itself
            link.mend();
            AwaitCondition.until("level 1", PATIENCE, () -> probe.level() == 1);
            for (int i = 0; i < EXECUTIONS.size(); i++) {
                assertWhole(service, PostgresRows.of(database), feed, i);
            }
            assertThat(probe.metric("tailrace_entries_shed_total")).isEqualTo(feed.droppedSoFar.get());
            assertThat(service.get("/v2/logs/stats").body().get("entries_shed").asLong())
                    .isEqualTo(feed.droppedSoFar.get());
        }
    }

    /** What was accepted is there once, in order, and what was not is told. */
    private static void assertWhole(Api service, PostgresRows rows, MixedFeed feed, int execution) throws Exception {
        String id = EXECUTIONS.get(execution);
        AwaitCondition.until(
                "what was shed of " + id + " is told", () -> shed(service.history(id)) >= feed.dropped[execution]);
        List<JsonNode> history = service.history(id);
        assertThat(shed(history)).isEqualTo(feed.dropped[execution]);
        List<Long> seqs = new ArrayList<>();
        List<Long> numbers = new ArrayList<>();
        for (JsonNode entry : history) {
            seqs.add(entry.get("seq").asLong());
            if (!entry.get("data").has("shed")) {
                numbers.add(entry.get("data").get("n").asLong());
            }
        }
        for (int i = 0; i < seqs.size(); i++) {
            assertThat(seqs.get(i)).isEqualTo(i + 1L);
        }
        assertThat(numbers).isSorted().doesNotHaveDuplicates();
        assertThat(numbers).hasSize((int) feed.accepted[execution]);
        Set<Long> readable = new HashSet<>(numbers);
        long friendly = 0;
        for (long n = 0; n < feed.sent[execution]; n++) {
            if (n % 3 == 2) {
                friendly++;
                assertThat(readable).contains(n);
            }
        }
        long kept = friendly + history.size() - numbers.size();
        AwaitCondition.until(
                "PostgreSQL has the " + kept + " rows of " + id,
                PATIENCE,
                () -> rows.of(id).size() >= kept);
        assertThat(rows.of(id)).hasSize((int) kept);
    }

    private static long shed(List<JsonNode> history) {
        return history.stream()
                .mapToLong(entry -> entry.get("data").path("shed").asLong())
                .sum();
    }

    @Test
    @Tag("alone")
    void aFloodOfOneExecutionDoesNotHoldUpAnother() throws Exception {
        try (TestDatabase database = TestDatabase.empty();
                DatabaseLink link = new DatabaseLink(database.url().port());
                ServerProcess server = ServerProcess.in(directory.resolve("data"))
                        .env("DATABASE_URL", database.text(link.port()))
                        .env("JOURNAL_GROUP_BYTES", "1MiB")
                        .underLoad()
                        .start()) {
            Api service = new Api(server.base(), ServerProcess.serviceToken());
            String batch = "[" + "{\"message\":\"flood\"},".repeat(4_999) + "{\"message\":\"flood\"}]";
            AtomicLong flooded = new AtomicLong();
            List<Thread> flood = new ArrayList<>();
            List<String> problems = new ArrayList<>();
            service.put("/v2/executions/quiet", "{\"status\":\"RUNNING\"}");
            try (LiveFollower reader = new LiveFollower(service, "quiet", "");
                    EntryFeed quiet = new EntryFeed(service, List.of("quiet"), 1, 40, 0)) {
                for (int i = 0; i < FLOODERS; i++) {
                    Thread thread = new Thread(() -> flood(service, batch, quiet, flooded, problems), "flood");
                    thread.start();
                    flood.add(thread);
                }
                quiet.start();
                reader.awaitSeq(40, PATIENCE);
                quiet.finish().assertAllTaken();
                long last = quiet.lastSeq("quiet");
                reader.awaitSeq(last, PATIENCE).assertSeen(last);
                for (Thread thread : flood) {
                    thread.join();
                }
                assertThat(problems).isEmpty();
                assertThat(flooded.get()).as("entries of the flood").isGreaterThan(10_000);
                assertThat(reader.delayMillis().getValueAtPercentile(95))
                        .as("p95 of the quiet one's delivery, ms")
                        .isLessThan(3_000);
            }
        }
    }

    private static void flood(Api api, String batch, EntryFeed quiet, AtomicLong flooded, List<String> problems) {
        try {
            while (!quiet.finished()) {
                Api.Answer answer = api.post("/v2/executions/flood/logs", batch);
                if (answer.status() == 202) {
                    flooded.addAndGet(answer.body().get("accepted").asLong());
                } else if (answer.status() != 503) { // full of the flood: its own fault
                    throw new IllegalStateException(answer.status() + " " + answer.body());
                }
            }
        } catch (Exception e) {
            synchronized (problems) {
                problems.add(e.toString());
            }
        }
    }

    @Test
    void theNoisiestSenderIsTurnedAwayAndTheOthersAreNot() throws Exception {
        try (TestDatabase database = TestDatabase.empty();
                DatabaseLink link = new DatabaseLink(database.url().port());
                ServerProcess server = server(database, link)
                        .env("BACKPRESSURE", "circuit_break_sources")
                        .start()) {
            Api noisy = new Api(server.base(), token("noisy"));
            Api quiet = new Api(server.base(), token("quiet"));
            ServerProbe probe = new ServerProbe(server);
            link.cut();
            String one = "{\"message\":\"" + PADDING + "\",\"level\":\"DEBUG\"}";
            String many = "[" + (one + ",").repeat(199) + one + "]";
            Api.Answer[] last = new Api.Answer[1];
            AwaitCondition.until("the noisy one is turned away", PATIENCE, () -> {
                assertThat(quiet.post("/v2/executions/quiet/logs", "[" + one + "]")
                                .status())
                        .isEqualTo(202);
                last[0] = noisy.post("/v2/executions/noisy/logs", many);
                return last[0].status() != 202;
            });

            Api.Answer refused = last[0];
            assertThat(refused.status()).isEqualTo(429);
            assertThat(refused.body().get("code").asText()).isEqualTo("sender_throttled");
            assertThat(refused.body().get("detail").asText()).contains("send it again after Retry-After");
            assertThat(refused.response()
                            .headers()
                            .firstValueAsLong("Retry-After")
                            .orElse(0))
                    .isBetween(1L, 10L);
            assertThat(probe.level()).isEqualTo(4);
            assertThat(quiet.post("/v2/executions/quiet/logs", "[" + one + "]").status())
                    .isEqualTo(202);

            // And nothing was shed, and it may come again
            AwaitCondition.until(
                    "the noisy one is let in again",
                    () -> noisy.post("/v2/executions/noisy/logs", "[" + one + "]")
                                    .status()
                            == 202);
            assertThat(probe.metric("tailrace_ingest_throttled_total")).isPositive();
            assertThat(probe.metric("tailrace_entries_shed_total")).isZero();
            assertThat(server.output()).doesNotContain("noisy");
            server.kill(); // a stop would wait for PostgreSQL
        }
    }

    private static String token(String name) {
        return ServerProcess.tokens().mint(Role.SERVICE_ROLE, Optional.of(name), Duration.ofHours(1));
    }
}
