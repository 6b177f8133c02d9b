package tailrace.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.params.XAddParams;
import tailrace.config.RedisUrl;
import tailrace.config.TailraceConfig;
import tailrace.metrics.Metrics;
import tailrace.model.EntryFields;
import tailrace.model.LogEntry;
import tailrace.query.FakeJournal;

/** The cursor into a real Redis: what it writes, how often, and what it does when Redis is not what it was. */
class RedisHotTierIT {
    private static final long NOW = 1_772_366_400_000_000L;
    private static final Duration TTL = Duration.ofHours(24);

    @SuppressWarnings("NullAway.Init")
    private static Vertx vertx;

    @SuppressWarnings("NullAway.Init")
    private static TestRedis redis;

    private final FakeJournal journal = new FakeJournal();
    private final List<Running> running = new ArrayList<>();

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path directory;

    @BeforeAll
    static void open() {
        vertx = Vertx.vertx();
        redis = TestRedis.start();
    }

    @AfterAll
    static void close() throws Exception {
        vertx.close().await(20, TimeUnit.SECONDS);
        redis.close();
    }

    @BeforeEach
    void empty() {
        redis.run(server -> server.flushAll());
    }

    @AfterEach
    void stop() throws Exception {
        for (Running one : running) {
            one.stop();
        }
    }

    /** A hot tier on an event loop, with one reader there. */
    private final class Running {
        final Context context = vertx.getOrCreateContext();
        final SimpleMeterRegistry meters = new SimpleMeterRegistry();
        final RedisHotTier tier;
        final RedisReader reader;
        private final long ticking;

        Running(String url, FakeJournal of) throws Exception {
            tier = new RedisHotTier(
                    vertx,
                    RedisUrl.parse(url),
                    new TailraceConfig.Redis(Optional.empty(), Duration.ofMillis(250)),
                    TTL,
                    of,
                    Clock.fixed(Instant.EPOCH.plusNanos(NOW * 1_000), ZoneOffset.UTC),
                    new Metrics(meters));
            reader = on(() -> {
                tier.start();
                return Future.succeededFuture(tier.reader());
            });
            ticking = vertx.setPeriodic(100, id -> context.runOnContext(none -> tier.tick()));
            running.add(this);
        }

        <T> T on(Callable<Future<T>> work) throws Exception {
            Promise<T> done = Promise.promise();
            context.runOnContext(none -> {
                try {
                    work.call().onComplete(done);
                } catch (Exception e) {
                    done.fail(e);
                }
            });
            return done.future().await(20, TimeUnit.SECONDS);
        }

        Running caughtUp(FakeJournal with) {
            TestRedis.until(
                    () -> tier.status().toString(), () -> tier.available() && tier.position() == with.lastPosition());
            return this;
        }

        Running readable() {
            TestRedis.until(() -> "a reader of " + tier.status(), reader::usable);
            return this;
        }

        List<LogEntry> read(String execution, long fromSeq, long toSeq, boolean ascending, int max) throws Exception {
            readable();
            return on(() -> reader.entries(execution, fromSeq, toSeq, ascending, max));
        }

        double count(String metric) {
            return meters.get(metric).counter().count();
        }

        void stop() throws Exception {
            vertx.cancelTimer(ticking);
            tier.stop(Duration.ofSeconds(2)).await(20, TimeUnit.SECONDS);
        }
    }

    private Running start() throws Exception {
        return new Running(redis.url(), journal);
    }

    private static List<EntryFields> entries(int count, int padding) {
        List<EntryFields> fields = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            fields.add(FakeJournal.entry("entry " + "x".repeat(padding), NOW - 1_000_000));
        }
        return fields;
    }

    private void append(String execution, int count) {
        journal.append(execution, entries(count, 0));
    }

    private static List<Long> upTo(long last) {
        return LongStream.rangeClosed(1, last).boxed().toList();
    }

    private static List<String> texts(List<LogEntry> entries) {
        return entries.stream().map(LogEntry::toString).toList();
    }

    private List<LogEntry> inJournal(String execution) {
        return journal.entries(execution, 1, Long.MAX_VALUE, true, Integer.MAX_VALUE, Long.MAX_VALUE, any -> true);
    }

    @Test
    void everyEntryIsThereOnceInOrderWithItsBytesAndForATime() throws Exception {
        append("a", 3);
        append("b } {", 2);
        append("a", 1);
        Running tier = start().caughtUp(journal);
        append("a", 5);
        tier.caughtUp(journal);

        assertThat(texts(tier.read("a", 1, 100, true, 100))).isEqualTo(texts(inJournal("a")));
        assertThat(texts(tier.read("b } {", 1, 100, true, 100))).isEqualTo(texts(inJournal("b } {")));
        assertThat(tier.read("a", 3, 6, false, 2)).extracting(LogEntry::seq).containsExactly(6L, 5L);
        assertThat(tier.read("unknown", 1, 100, true, 100)).isEmpty();
        assertThat(tier.on(() -> tier.reader.span("a"))).contains(new RedisReader.Span(1, 9, 9));
        assertThat(tier.on(() -> tier.reader.span("unknown"))).isEmpty();
        long ttl = redis.run(server -> server.pttl(redis.stream("a")));
        assertThat(ttl).isBetween(TTL.minusSeconds(60).toMillis(), TTL.toMillis());
        assertThat(tier.count("tailrace.redis.entries.written")).isEqualTo(11);
    }

    @Test
    void aSecondStartGoesOnAndARepetitionChangesNothing() throws Exception {
        append("a", 10);
        Running first = start().caughtUp(journal);
        first.stop();
        append("a", 10);
        Running second = start().caughtUp(journal);
        assertThat(second.count("tailrace.redis.entries.written")).isEqualTo(10);
        assertThat(second.count("tailrace.redis.rebuilds")).isZero();
        second.stop();

        // When the cursor alone is lost
        redis.run(server -> server.del(redis.cursor()));
        Running third = start().caughtUp(journal);

        assertThat(redis.seqs("a")).isEqualTo(upTo(20));
        assertThat(third.count("tailrace.redis.rebuilds")).isEqualTo(1);
        assertThat(third.count("tailrace.redis.entries.written")).isZero();
    }

    @Test
    void anEmptiedRedisIsNoticedWhileNothingIsWritten() throws Exception {
        append("a", 10);
        append("b", 10);
        Running tier = start().caughtUp(journal);

        redis.run(server -> server.flushAll());

        TestRedis.until(() -> redis.length("a") == 10 && redis.length("b") == 10);
        TestRedis.until(() -> tier.count("tailrace.redis.rebuilds") >= 1);
    }

    @Test
    void aStreamThatLacksEntriesIsFilledUp() throws Exception {
        for (int i = 0; i < 5; i++) {
            append("gone", 400);
            append("behind", 400);
        }
        Running tier = start().caughtUp(journal);

        // When one was evicted and the other is an old replica's
        redis.run(server -> server.del(redis.stream("gone")));
        byte[] behind = redis.stream("behind").getBytes(StandardCharsets.UTF_8);
        redis.run(server -> server.del(behind));
        for (LogEntry entry : inJournal("behind").subList(0, 700)) {
            redis.run(server -> server.xadd(
                    behind,
                    Map.of("e".getBytes(StandardCharsets.UTF_8), entry.encoded()),
                    XAddParams.xAddParams().id(entry.seq() + "-0")));
        }
        append("gone", 1);
        append("behind", 1);
        tier.caughtUp(journal);

        assertThat(redis.seqs("gone")).isEqualTo(upTo(2_001));
        assertThat(redis.seqs("behind")).isEqualTo(upTo(2_001));
        assertThat(tier.count("tailrace.redis.streams.rebuilt")).isEqualTo(2);
    }

    @Test
    void whatSomebodyElsePutOrRemovedUnderOurNamesStopsNothing() throws Exception {
        append("a", 5);
        append("b", 5);
        Running tier = start().caughtUp(journal);
        redis.run(server -> server.set(redis.stream("a"), "not a stream"));
        redis.run(server -> server.xdel(redis.stream("b"), new StreamEntryID(5, 0)));
        append("a", 5);
        append("b", 5);
        tier.caughtUp(journal);

        assertThat(redis.seqs("a")).isEqualTo(upTo(10));
        assertThat(redis.seqs("b")).containsExactly(1L, 2L, 3L, 4L, 6L, 7L, 8L, 9L, 10L);
    }

    @Test
    void whatTheJournalHasNotIsAHoleAndNoObstacle() throws Exception {
        append("a", 10);
        Running tier = start().caughtUp(journal);
        tier.stop();
        append("a", 10);
        journal.purgeBelow("a", 16);
        append("jumped", 3);
        journal.jumpTo("jumped", 999);
        append("jumped", 2);

        start().caughtUp(journal);

        assertThat(redis.seqs("a"))
                .isEqualTo(LongStream.concat(LongStream.rangeClosed(1, 10), LongStream.rangeClosed(16, 20))
                        .boxed()
                        .toList());
        assertThat(redis.seqs("jumped")).containsExactly(1_000L, 1_001L);
    }

    @Test
    void recordsThatTheJournalRemovedAreNotWaitedFor() throws Exception {
        append("a", 10);
        append("b", 10);
        journal.purgeBelow("a", 11);
        journal.forgetRecords(journal.lastPosition());

        Running tier = start().caughtUp(journal);

        assertThat(tier.tier.status().lagPositions()).isZero();
        assertThat(redis.length("a")).isZero();
    }

    @Test
    void whatIsOlderThanTheHotTierKeepsIsNotWritten() throws Exception {
        journal.append("old", List.of(FakeJournal.entry("m", NOW - TimeUnit.HOURS.toMicros(25))));
        journal.append("long", List.of(FakeJournal.entry("m", NOW - TimeUnit.HOURS.toMicros(25))));
        journal.append("long", List.of(FakeJournal.entry("m", NOW - TimeUnit.HOURS.toMicros(1))));

        start().caughtUp(journal);

        assertThat(redis.length("old")).isZero();
        assertThat(redis.seqs("long")).as("lives on with its newest entry").containsExactly(1L, 2L);
        long ttl = redis.run(server -> server.pttl(redis.stream("long")));
        assertThat(ttl)
                .isBetween(Duration.ofHours(22).toMillis(), Duration.ofHours(23).toMillis());
    }

    @Test
    void aRecordLargerThanABatchIsWrittenInPieces() throws Exception {
        journal.append("large", entries(500, 9_000));
        journal.append("next", entries(1, 0));
        Running tier = start().caughtUp(journal);

        assertThat(redis.seqs("large")).isEqualTo(upTo(500));
        assertThat(texts(tier.read("large", 499, 500, true, 2)))
                .isEqualTo(texts(inJournal("large").subList(498, 500)));
        assertThat(redis.length("next")).isEqualTo(1);
    }

    @Test
    void anotherJournalsEntriesAreNotTakenForOurs() throws Exception {
        var other = new FakeJournal();
        other.append("a", entries(50, 0));
        new Running(redis.url(), other).caughtUp(other);
        append("a", 3);

        Running tier = start().caughtUp(journal);

        assertThat(tier.read("a", 1, 100, true, 100)).extracting(LogEntry::seq).containsExactly(1L, 2L, 3L);
        Set<String> cursors = redis.run(server -> server.keys("tailrace:*:cursor"));
        assertThat(cursors).hasSize(2);
    }

    @Test
    void aJournalThatIsBehindItsOwnCursorDoesNotTouchRedis() throws Exception {
        append("a", 3);
        append("a", 3);
        start().caughtUp(journal).stop();
        var old = new FakeJournal(journal.id());
        old.append("a", entries(1, 5));

        Running tier = new Running(redis.url(), old);

        TestRedis.until(() -> tier.tier.status().detail().startsWith("Redis is ahead of this journal"));
        assertThat(tier.tier.available()).isFalse();
        assertThat(tier.reader.usable()).isFalse();
        assertThat(redis.seqs("a")).isEqualTo(upTo(6));
    }

    @Test
    void aCursorThatWentBackIsGoneOnFrom() throws Exception {
        append("a", 3);
        append("a", 3);
        append("a", 3);
        Running tier = start().caughtUp(journal);

        // As a replica would that had not got the last writes
        redis.run(server -> server.set(redis.cursor(), "1"));
        redis.run(server -> server.del(redis.stream("a")));
        append("a", 1);
        tier.caughtUp(journal);

        TestRedis.until(() -> redis.seqs("a").equals(upTo(10)));
        assertThat(tier.count("tailrace.redis.rebuilds")).as("of all").isEqualTo(1);
    }

    @Test
    void aFullRedisIsWaitedForAndReadMeanwhile() throws Exception {
        append("a", 10);
        Running tier = start().caughtUp(journal).readable();
        redis.set("maxmemory", "1");
        try {
            append("a", 10);
            TestRedis.until(() -> tier.tier.status().detail().contains("OOM"));
            assertThat(tier.tier.available()).isFalse();
            assertThat(tier.read("a", 1, 100, true, 100)).hasSize(10);
        } finally {
            redis.set("maxmemory", "0");
        }
        tier.caughtUp(journal);
        assertThat(redis.seqs("a")).isEqualTo(upTo(20));
        assertThat(tier.tier.status().detail()).isEmpty();
    }

    @Test
    void aFrozenRedisCostsAReaderOneTimeoutAndTheNextNothing() throws Exception {
        try (TestRedis own = TestRedis.start()) {
            append("a", 10);
            Running tier = new Running(own.url(), journal).caughtUp(journal).readable();
            own.freeze();
            try {
                assertThat(tier.on(() -> tier.reader
                                .entries("a", 1, 10, true, 10)
                                .map(found -> "answered")
                                .otherwise("failed")))
                        .isEqualTo("failed");
                assertThat(tier.reader.usable())
                        .as("whether the next one waits")
                        .isFalse();
                append("a", 10);
                TestRedis.until(() -> !tier.tier.available());
                assertThat(tier.tier.status().detail()).isEqualTo("does not answer");
                assertThat(tier.tier.status().lagPositions()).isEqualTo(1);
            } finally {
                own.thaw();
            }
            tier.caughtUp(journal).readable();
            assertThat(tier.read("a", 1, 100, true, 100)).hasSize(20);

            // And killed, and started again without anything
            own.kill();
            TestRedis.until(() -> !tier.reader.usable());
            TestRedis.until(() -> tier.tier.status().detail().equals("cannot be reached"));
            own.restart();
            TestRedis.until(() -> own.length("a") == 20);
            tier.caughtUp(journal).readable();
        }
    }

    @Test
    void sentinelsLeadToTheMasterAlsoToTheNextOne() throws Exception {
        try (TestRedis master = TestRedis.start();
                TestRedis replica = TestRedis.start("--replicaof", "127.0.0.1", Integer.toString(master.port()))) {
            // Before the sentinel, which looks at the master at once and then every ten seconds
            TestRedis.until(() -> replica.run(server -> server.info().contains("master_link_status:up")));
            sentinelsLeadToTheMaster(master, replica);
        }
    }

    private void sentinelsLeadToTheMaster(TestRedis master, TestRedis replica) throws Exception {
        try (TestRedis sentinel = TestRedis.startSentinel(master.port())) {
            TestRedis.until(() ->
                    sentinel.run(server -> server.sentinelReplicas("mymaster").size()) == 1);
            append("a", 10);
            Running tier = new Running("redis-sentinel://127.0.0.1:" + sentinel.port() + "/mymaster/2", journal)
                    .caughtUp(journal);
            assertThat(tier.read("a", 1, 100, true, 100)).hasSize(10);
            Set<String> keys = master.run(server -> {
                server.select(2);
                return server.keys("*");
            });
            assertThat(keys).hasSize(2);

            TestRedis.until(() -> {
                sentinel.run(server -> server.sentinelFailover("mymaster"));
                return true;
            });
            TestRedis.until(() -> replica.run(server -> server.info().contains("role:master")));
            append("a", 10);

            tier.caughtUp(journal).readable();
            TestRedis.until(() -> replica.run(server -> {
                        server.select(2);
                        return server.xlen(Keys.of(journal.id()).log("a"));
                    })
                    == 20);
            TestRedis.until(() -> tier.read("a", 1, 100, true, 100).size() == 20);
        }
    }

    @Test
    void aClusterHasEachStreamOnTheNodeOfItsSlot() throws Exception {
        List<TestRedis> nodes = TestRedis.startCluster(3);
        try {
            for (int i = 0; i < 30; i++) {
                append("e" + i, 3);
                append("e" + i, 2);
            }
            Running tier = new Running(
                            "redis-cluster://127.0.0.1:" + nodes.get(1).port() + ",127.0.0.1:"
                                    + nodes.get(2).port(),
                            journal)
                    .caughtUp(journal);
            for (int i = 0; i < 30; i++) {
                assertThat(texts(tier.read("e" + i, 1, 100, true, 100))).isEqualTo(texts(inJournal("e" + i)));
            }
            for (TestRedis node : nodes) {
                long keys = node.run(server -> server.dbSize());
                assertThat(keys).as("keys of a node").isPositive();
            }
            assertThat(tier.on(() -> tier.reader.span("e7"))).contains(new RedisReader.Span(1, 5, 5));

            // When a node is restarted empty, under its old name
            nodes.forEach(node -> node.run(server -> server.flushAll()));
            TestRedis.until(() -> tier.read("e7", 1, 100, true, 100).size() == 5);
        } finally {
            nodes.forEach(TestRedis::close);
        }
    }

    @Test
    void tlsAndALogin() throws Exception {
        Path key = directory.resolve("key.pem");
        Path certificate = directory.resolve("certificate.pem");
        makeCertificate(key, certificate);
        append("a", 10);
        try (TestRedis secure = TestRedis.startTls(certificate, key)) {
            String rest = "localhost:" + secure.port();
            Running trusting =
                    new Running("rediss://" + rest + "?sslrootcert=" + certificate, journal).caughtUp(journal);
            assertThat(trusting.read("a", 1, 100, true, 100)).hasSize(10);
            Running distrusting = new Running("rediss://" + rest, journal);
            TestRedis.until(() -> distrusting.tier.status().detail().equals("cannot be reached"));
        }
        try (TestRedis guarded = TestRedis.start("--requirepass", "let me in")) {
            String rest = "127.0.0.1:" + guarded.port() + "/3";
            Running known = new Running("redis://:let%20me%20in@" + rest, journal).caughtUp(journal);
            assertThat(known.read("a", 1, 100, true, 100)).hasSize(10);
            Running stranger = new Running("redis://:letmein@" + rest, journal);
            TestRedis.until(() -> stranger.tier.status().detail().startsWith("WRONGPASS"));
            assertThat(stranger.tier.status().detail()).doesNotContain("letmein");
        }
    }

    /** For {@code localhost}, by the JDK's own tool. */
    private void makeCertificate(Path key, Path certificate) throws Exception {
        Path store = directory.resolve("store.p12");
        char[] password = "worth nothing".toCharArray();
        assertThat(new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "keytool")
                                        .toString(),
                                "-genkeypair",
                                "-alias",
                                "redis",
                                "-keyalg",
                                "RSA",
                                "-dname",
                                "CN=localhost",
                                "-ext",
                                "SAN=dns:localhost",
                                "-keystore",
                                store.toString(),
                                "-storepass",
                                new String(password))
                        .redirectErrorStream(true)
                        .redirectOutput(directory.resolve("keytool.log").toFile())
                        .start()
                        .waitFor())
                .isZero();
        KeyStore made = KeyStore.getInstance(store.toFile(), password);
        writePem(key, "PRIVATE KEY", made.getKey("redis", password).getEncoded());
        writePem(certificate, "CERTIFICATE", made.getCertificate("redis").getEncoded());
    }

    private static void writePem(Path file, String what, byte[] encoded) throws IOException {
        Files.writeString(
                file,
                "-----BEGIN " + what + "-----\n"
                        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(encoded) + "\n-----END " + what
                        + "-----\n");
    }
}
