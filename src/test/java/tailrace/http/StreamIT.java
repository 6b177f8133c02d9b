package tailrace.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tailrace.config.TailraceConfig;
import tailrace.http.SseClient.Event;
import tailrace.model.EntryFields;
import tailrace.model.EventType;
import tailrace.model.ExecutionStatus;
import tailrace.model.Level;

/** What a stream says and when (SPEC 7). */
class StreamIT {
    /** The delays of the real thing, shortened. */
    private static final TailraceConfig.Live QUICK = new TailraceConfig.Live(
            Duration.ofMillis(100),
            Duration.ofMillis(5),
            Duration.ofSeconds(60),
            Duration.ofMillis(300),
            Duration.ofSeconds(2),
            100);

    private ReadingServer server = ReadingServer.start();

    @AfterEach
    void close() {
        server.close();
    }

    private SseClient open(String id, String query, String... headers) {
        return SseClient.open(server.port(), "/v2/executions/" + id + "/logs/stream" + query, headers);
    }

    private void restart(TailraceConfig.Live live) {
        server.close();
        server = ReadingServer.start(live);
    }

    private static List<Long> seqs(List<Event> events) {
        return events.stream().map(Event::seq).toList();
    }

    @Test
    void historyComesFirstThenWhatHappensOnOneConnection() {
        server.appendMany("e1", 3);
        try (SseClient client = open("e1", "")) {
            assertThat(client.status()).isEqualTo(200);
            assertThat(client.header("Content-Type")).isEqualTo("text/event-stream; charset=utf-8");
            assertThat(client.header("Cache-Control")).isEqualTo("no-store");
            assertThat(client.header("X-Accel-Buffering")).isEqualTo("no");
            assertThat(Objects.requireNonNull(client.poll(Duration.ofSeconds(5)))
                            .retry())
                    .isEqualTo("2000");
            List<Event> history = client.take(3);
            assertThat(seqs(history)).containsExactly(1L, 2L, 3L);
            assertThat(history.get(0).json().getJsonObject("data").containsKey("is_realtime"))
                    .isFalse();
            server.appendMany("e1", 2);
            List<Event> live = client.take(2);
            assertThat(seqs(live)).containsExactly(4L, 5L);
            JsonObject frame = live.get(0).json();
            assertThat(frame.getString("event_type")).isEqualTo("LOG");
            assertThat(frame.getString("session_id")).isEqualTo("e1");
            assertThat(frame.getBoolean("is_final")).isFalse();
            JsonObject data = frame.getJsonObject("data");
            assertThat(data.getBoolean("is_realtime")).isTrue();
            assertThat(data.getLong("seq")).isEqualTo(4);
            assertThat(data.getString("message")).isEqualTo("m0");
            assertThat(frame.getString("timestamp")).isEqualTo(data.getString("timestamp"));
        }
    }

    @Test
    void theOtherPathIsTheSame() {
        server.appendMany("e1", 1);
        try (SseClient client = SseClient.open(server.port(), "/api/v1/app/executions/e1/logs/stream")) {
            assertThat(client.next().seq()).isEqualTo(1);
        }
    }

    @Test
    void aMessageCannotBecomeAnSseFieldOrLine() {
        EntryFields hostile = server.entry("a\n\nid: 99\r\ndata: {}\r\u2028\u0085");
        hostile.data = "{\"a\":\r\n 1}";
        try (SseClient client = open("e\"1%0A", "?wait=5")) {
            server.append("e\"1\n", hostile, server.entry("next"));
            Event event = client.next();
            assertThat(event.json().getJsonObject("data").getString("message")).isEqualTo(hostile.message);
            assertThat(event.json().getString("session_id")).isEqualTo("e\"1\n");
            assertThat(event.json().getJsonObject("data").getJsonObject("data").getInteger("a"))
                    .isEqualTo(1);
            assertThat(client.next().seq()).isEqualTo(2);
        }
    }

    @Test
    void resumesAfterTheLastIdAndTheHeaderWins() {
        server.appendMany("e1", 5);
        try (SseClient client = open("e1", "?last_event_id=1&tail=1", "Last-Event-ID: 3")) {
            assertThat(seqs(client.take(2))).containsExactly(4L, 5L);
        }
        try (SseClient client = open("e1", "?last_event_id=4&tail=4")) {
            assertThat(client.next().seq()).isEqualTo(5);
        }
    }

    @Test
    void anIdThatCannotBeOursGetsEverything() {
        server.appendMany("e1", 2);
        for (String id : List.of("3", "99999999999999999999999")) {
            try (SseClient client = open("e1", "", "Last-Event-ID: " + id)) {
                assertThat(seqs(client.take(2))).containsExactly(1L, 2L);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "last_event_id=x",
                "last_event_id=-1",
                "last_event_id=",
                "last_event_id=1.5",
                "tail=-1",
                "tail=x",
                "tail=10001",
                "wait=301",
                "wait=x",
                "follow=yes",
                "level=loud",
                "min_level=",
                "limit=5",
                "offset=1",
                "cursor=x",
                "order=asc",
                "before_seq=9",
                "q=",
                "node_id=",
                "count=false",
                "around_seq=1",
                "event_type=LOGS",
                "nonsense=1",
                "tail=1&tail=2"
            })
    void aBadParameterIsNamed(String query) {
        server.appendMany("e1", 1);
        try (SseClient client = SseClient.paused(server.port(), "/v2/executions/e1/logs/stream?" + query, 0)) {
            assertThat(client.status()).isEqualTo(400);
        }
        assertThat(server.streams.open()).isZero();
    }

    @Test
    void aBadLastEventIdHeaderIsRefused() {
        server.appendMany("e1", 1);
        try (SseClient client = open("e1", "", "Last-Event-ID: abc")) {
            assertThat(client.status()).isEqualTo(400);
        }
    }

    @Test
    void tailStartsBeforeTheEnd() {
        server.appendMany("e1", 10);
        try (SseClient client = open("e1", "?tail=3")) {
            assertThat(seqs(client.take(3))).containsExactly(8L, 9L, 10L);
            server.appendMany("e1", 1);
            assertThat(client.next().seq()).isEqualTo(11);
        }
        try (SseClient client = open("e1", "?tail=0")) {
            server.appendMany("e1", 1);
            assertThat(client.next().seq()).isEqualTo(12);
        }
    }

    @Test
    void tailCountsWhatTheFilterAccepts() {
        for (int i = 0; i < 10; i++) {
            EntryFields error = server.entry("bad " + i);
            error.level = Level.ERROR;
            server.append("e1", error, server.entry("fine"), server.entry("fine"));
        }
        try (SseClient client = open("e1", "?tail=2&level=error&follow=false")) {
            assertThat(seqs(client.untilEnd())).containsExactly(25L, 28L);
        }
    }

    @Test
    void afterSeqIsAFilterLikeTheOthers() {
        server.appendMany("e1", 3);
        try (SseClient client = open("e1", "?after_seq=5");
                SseClient resumed = open("e1", "?after_seq=1", "Last-Event-ID: 2")) {
            assertThat(resumed.next().seq()).isEqualTo(3);
            server.appendMany("e1", 1);
            server.appendMany("e1", 3);
            assertThat(seqs(client.take(2))).containsExactly(6L, 7L);
        }
    }

    @Test
    void withoutFollowItEndsAfterHistory() {
        server.appendMany("e1", 700);
        try (SseClient client = open("e1", "?follow=false")) {
            assertThat(seqs(client.untilEnd()))
                    .isEqualTo(java.util.stream.LongStream.rangeClosed(1, 700)
                            .boxed()
                            .toList());
        }
    }

    @Test
    void filtersWorkOnHistoryAndLive() {
        EntryFields error = server.entry("bad");
        error.level = Level.ERROR;
        EntryFields step = server.entry("step");
        step.eventType = EventType.STEP_COMPLETED;
        step.level = Level.CRITICAL;
        server.append("e1", server.entry("fine"), error, server.entry("fine"));
        try (SseClient errors = open("e1", "?min_level=error");
                SseClient steps = open("e1", "?event_type=step_completed");
                SseClient all = open("e1", "")) {
            all.take(3);
            assertThat(errors.next().seq()).isEqualTo(2);
            server.append("e1", server.entry("fine"), step, server.entry("fine"));
            assertThat(errors.next().seq()).isEqualTo(5);
            assertThat(steps.next().seq()).isEqualTo(5);
            assertThat(seqs(all.take(3))).containsExactly(4L, 5L, 6L);
            server.append("e1", error);
            assertThat(errors.next().seq()).isEqualTo(7);
        }
    }

    @Test
    void anUnknownOrForeignExecutionIsNotThere() {
        server.register("theirs", ExecutionStatus.RUNNING, "bob");
        server.register("nobodys", ExecutionStatus.RUNNING, "");
        for (String id : List.of("unknown", "theirs", "nobodys")) {
            try (SseClient client = open(id, "", "Authorization: Bearer alice")) {
                assertThat(client.status()).isEqualTo(404);
            }
        }
        try (SseClient client = open("theirs", "", "Authorization: Bearer bob")) {
            assertThat(client.status()).isEqualTo(200);
        }
        assertThat(server.streams.open()).isLessThanOrEqualTo(1);
    }

    @Test
    void waitsForARunThatHasNotBegun() {
        try (SseClient client = open("e1", "?wait=20", "Authorization: Bearer alice")) {
            assertThat(client.status()).isEqualTo(200);
            server.register("e1", ExecutionStatus.RUNNING, "alice");
            server.appendMany("e1", 2);
            assertThat(seqs(client.take(2))).containsExactly(1L, 2L);
        }
    }

    @Test
    void aForeignRunWaitsAndEndsJustTheSame() {
        restart(QUICK);
        server.register("theirs", ExecutionStatus.RUNNING, "bob");
        server.appendMany("theirs", 2);
        try (SseClient foreign = open("theirs", "?wait=1", "Authorization: Bearer alice");
                SseClient unknown = open("unknown", "?wait=1", "Authorization: Bearer alice")) {
            for (SseClient client : List.of(foreign, unknown)) {
                assertThat(client.status()).isEqualTo(200);
                List<Event> events = client.untilEnd().stream()
                        .filter(event -> !event.comment())
                        .toList();
                assertThat(events).hasSize(1);
                JsonObject frame = events.get(0).json();
                assertThat(frame.getString("event_type")).isEqualTo("ERROR");
                assertThat(frame.getBoolean("is_final")).isTrue();
                assertThat(frame.getJsonObject("data").getString("error_type")).isEqualTo("execution_not_found");
            }
        }
    }

    @Test
    @Tag("alone")
    void completesAfterTheDelayAndLateEntriesResetIt() {
        server.appendMany("e1", 1);
        try (SseClient client = open("e1", "")) {
            client.next();
            EntryFields end = server.entry("done");
            end.eventType = EventType.WORKFLOW_COMPLETED;
            end.statusEffect = ExecutionStatus.SUCCEEDED;
            server.append("e1", end);
            assertThat(client.next().seq()).isEqualTo(2);
            assertThat(client.poll(Duration.ofMillis(1500))).isNull();
            server.appendMany("e1", 1); // late, and within the two seconds
            long late = System.nanoTime();
            assertThat(client.next().seq()).isEqualTo(3);
            Event complete = client.next();
            assertThat(Duration.ofNanos(System.nanoTime() - late)).isGreaterThan(Duration.ofMillis(1900));
            assertThat(Duration.ofNanos(System.nanoTime() - late)).isLessThan(Duration.ofMillis(3500));
            assertThat(complete.type()).isEqualTo("COMPLETE");
            assertThat(complete.seq()).isEqualTo(3);
            assertThat(complete.json().getBoolean("is_final")).isTrue();
            JsonObject data = complete.json().getJsonObject("data");
            assertThat(data.getString("execution_id")).isEqualTo("e1");
            assertThat(data.getString("status")).isEqualTo("SUCCEEDED");
            assertThat(data.getLong("total_logs")).isEqualTo(3);
            assertThat(data.getLong("last_seq")).isEqualTo(3);
            assertThat(client.next().end()).isTrue();
        }
        try (SseClient again = open("e1", "", "Last-Event-ID: 3")) {
            assertThat(again.status()).isEqualTo(204);
        }
        try (SseClient again = open("e1", "", "Last-Event-ID: 2")) {
            assertThat(again.untilEnd().stream().map(Event::type)).containsExactly("LOG", "COMPLETE");
        }
    }

    @Test
    void aFinishedRunWithoutLogsCompletesAndLeaksNothing() {
        restart(QUICK);
        server.register("empty", ExecutionStatus.RUNNING, "alice");
        try (SseClient client = open("empty", "")) {
            assertThat(client.next().comment()).isTrue();
            server.register("empty", ExecutionStatus.FAILED, "alice");
            List<Event> events =
                    client.untilEnd().stream().filter(event -> !event.comment()).toList();
            assertThat(events).hasSize(1);
            assertThat(events.get(0).type()).isEqualTo("COMPLETE");
            assertThat(events.get(0).seq()).isZero();
        }
        try (SseClient again = open("empty", "", "Last-Event-ID: 0")) {
            assertThat(again.status()).isEqualTo(204);
        }
        assertThat(server.streams.open()).isZero();
    }

    @Test
    void aReaderWhoComesBackWithinTheDelayStillGetsTheEnd() {
        server.register("e1", ExecutionStatus.SUCCEEDED, "alice");
        try (SseClient client = open("e1", "", "Last-Event-ID: 0")) {
            assertThat(client.status()).isEqualTo(200);
            assertThat(client.next().type()).isEqualTo("COMPLETE");
        }
    }

    @Test
    void holesAreToldWhereTheyAre() {
        for (int i = 1; i <= 10; i++) {
            EntryFields fields = server.entry("m" + i);
            fields.milestone = i == 3 || i == 4 || i == 7;
            server.append("e1", fields);
        }
        server.cold.takeFrom(server.journal, "e1", 9);
        try (SseClient client = open("e1", "?follow=false")) {
            List<Event> events = client.untilEnd();
            assertThat(events.stream().map(Event::type))
                    .containsExactly("GAP", "LOG", "LOG", "GAP", "LOG", "GAP", "LOG", "LOG");
            assertThat(seqs(events)).containsExactly(2L, 3L, 4L, 6L, 7L, 8L, 9L, 10L);
            JsonObject gap = events.get(3).json().getJsonObject("data");
            assertThat(gap.getLong("from_seq")).isEqualTo(5);
            assertThat(gap.getLong("to_seq")).isEqualTo(6);
            assertThat(gap.getString("reason")).isEqualTo("technical_expired");
        }
        try (SseClient client = open("e1", "?follow=false&milestone=true")) {
            // what is gone could not have been among them
            assertThat(seqs(client.untilEnd())).containsExactly(3L, 4L, 7L);
        }
        try (SseClient client = open("e1", "?follow=false&level=info", "Last-Event-ID: 6")) {
            assertThat(seqs(client.untilEnd())).containsExactly(7L, 8L, 9L, 10L);
        }
    }

    @Test
    void aLostJournalIsAGapAndPostgresAwayIsOneToo() {
        EntryFields milestone = server.entry("kept");
        milestone.milestone = true;
        server.append("e1", milestone);
        server.cold.takeFrom(server.journal, "e1", 2);
        server.journal.jumpTo("e1", 999_999_999);
        server.appendMany("e1", 1);
        try (SseClient client = open("e1", "?follow=false")) {
            List<Event> events = client.untilEnd();
            assertThat(seqs(events)).containsExactly(1L, 999_999_999L, 1_000_000_000L);
            assertThat(events.get(1).json().getJsonObject("data").getString("reason"))
                    .isEqualTo("lost");
        }
        server.cold.away(true);
        try (SseClient client = open("e1", "")) {
            Event gap = client.next();
            assertThat(gap.json().getJsonObject("data").getString("reason")).isEqualTo("postgres_unavailable");
            assertThat(client.next().seq()).isEqualTo(1_000_000_000L);
            server.appendMany("e1", 1);
            assertThat(client.next().seq()).isEqualTo(1_000_000_001L);
        }
    }

    @Test
    void silenceIsFilledWithComments() {
        restart(QUICK);
        server.appendMany("e1", 1);
        try (SseClient client = open("e1", "")) {
            client.next();
            assertThat(client.next().comment()).isTrue();
            assertThat(client.next().comment()).isTrue();
            server.appendMany("e1", 1);
            Event event = client.next();
            while (event.comment()) {
                event = client.next();
            }
            assertThat(event.seq()).isEqualTo(2);
        }
    }

    @Test
    void endsWithTheToken() {
        server.register("e1", ExecutionStatus.RUNNING, "alice");
        server.appendMany("e1", 1);
        long exp = System.currentTimeMillis() / 1000 + 2;
        try (SseClient client = open("e1", "?access_token=alice@" + exp)) {
            assertThat(client.next().seq()).isEqualTo(1);
            Event error = client.next();
            assertThat(error.type()).isEqualTo("ERROR");
            assertThat(error.id()).isNull();
            assertThat(error.json().getBoolean("is_final")).isTrue();
            assertThat(error.json().getJsonObject("data").getString("error_type"))
                    .isEqualTo("token_expired");
            assertThat(System.currentTimeMillis() / 1000).isGreaterThanOrEqualTo(exp);
            assertThat(client.next().end()).isTrue();
        }
    }

    @Test
    void aShortFailureOfTheStoreIsSurvivedAndALongOneIsSaid() {
        server.appendMany("e1", 1);
        try (SseClient client = open("e1", "")) {
            assertThat(client.next().seq()).isEqualTo(1);
            server.journal.unavailable(true);
            server.journal.append("e1", List.of(server.entry("not announced")));
            server.appendMany("e1", 1); // so the store has to be read, and cannot be
            assertThat(client.poll(Duration.ofMillis(300))).isNull();
            server.journal.unavailable(false);
            assertThat(seqs(client.take(2))).containsExactly(2L, 3L);

            server.journal.unavailable(true);
            server.journal.append("e1", List.of(server.entry("not announced")));
            server.appendMany("e1", 1);
            Event error = client.next(Duration.ofSeconds(15));
            assertThat(error.type()).isEqualTo("ERROR");
            assertThat(error.json().getJsonObject("data").getString("error_type"))
                    .isEqualTo("store_unavailable");
            assertThat(client.next().end()).isTrue();
        }
    }

    @Test
    void shutdownEndsStreamsWithoutCompleteAndSpreadsTheReturn() {
        server.appendMany("e1", 1);
        try (SseClient one = open("e1", "");
                SseClient two = open("e1", "")) {
            one.next();
            two.next();
            ReadingServer.await(server.vertx.undeploy(
                    server.vertx.deploymentIDs().iterator().next()));
            for (SseClient client : List.of(one, two)) {
                Event retry = Objects.requireNonNull(client.poll(Duration.ofSeconds(5)));
                assertThat(Long.parseLong(Objects.requireNonNull(retry.retry())))
                        .isBetween(2_000L, 10_000L);
                assertThat(client.next().end()).isTrue();
            }
        }
        assertThat(server.streams.open()).isZero();
    }

    @Test
    void moreStreamsThanAllowedAreRefused() {
        restart(new TailraceConfig.Live(
                QUICK.heartbeat(), QUICK.coalesce(), QUICK.stuckTimeout(), QUICK.completeDelay(), QUICK.retry(), 2));
        server.appendMany("e1", 1);
        SseClient one = open("e1", "");
        try (SseClient two = open("e1", "");
                SseClient three = open("e1", "")) {
            assertThat(two.status()).isEqualTo(200);
            assertThat(three.status()).isEqualTo(503);
            one.close();
            two.next();
            Await.until(() -> server.streams.open() == 1);
            try (SseClient four = open("e1", "")) {
                assertThat(four.status()).isEqualTo(200);
            }
        }
        Await.until(() -> server.streams.open() == 0);
    }
}
