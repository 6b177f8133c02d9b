package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static tailrace.postgres.TestDatabase.await;

import io.vertx.core.Vertx;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.jspecify.annotations.Nullable;
import tailrace.config.TailraceConfig;

/** Random entries, policies and clocks against a plain reading of the rules. */
class PolicyIT {
    private static final int LOG_DAYS = 10;
    private static final LocalDate START = LocalDate.of(2026, 6, 1);
    private static final TailraceConfig.Retention CONFIG =
            new TailraceConfig.Retention(LOG_DAYS, Duration.ofDays(1), Duration.ofHours(1), 30, Optional.empty());
    // So small that every bound is met.
    private static final Retention.Limits LIMITS = new Retention.Limits(Duration.ofSeconds(5), 2, 3, 7, Duration.ZERO);

    @SuppressWarnings("NullAway.Init") // opened before the container
    private static Vertx vertx;

    @SuppressWarnings("NullAway.Init")
    private static TestDatabase postgres;

    @SuppressWarnings("NullAway.Init")
    private static Database database;

    @BeforeContainer
    static void open() {
        vertx = Vertx.vertx();
        postgres = TestDatabase.migrated();
        postgres.execute("CREATE EXTENSION pgstattuple");
        database = postgres.open(vertx);
    }

    @AfterContainer
    static void close() {
        postgres.close();
        await(vertx.close());
    }

    private record Row(String execution, long seq, Instant receivedAt) {}

    private record Policy(
            @Nullable String workflow,
            @Nullable String tier,
            @Nullable Double maxAgeDays,
            @Nullable Long newestN) {}

    /** What the test knows of the world. */
    private static final class World {
        final List<Row> rows = new ArrayList<>();
        final Map<String, String> workflowOf = new HashMap<>();
        final Map<String, String> tierOf = new HashMap<>();
        final List<Policy> policies = new ArrayList<>();
        Instant now = Instant.EPOCH;
    }

    @Property(tries = 20, shrinking = ShrinkingMode.OFF)
    void exactlyWhatIsPastItsTimeGoes(@ForAll long seed) {
        Random random = new Random(seed);
        World world = world(random);
        Set<String> kept = new TreeSet<>();
        world.rows.stream().filter(row -> kept(world, row)).forEach(row -> kept.add(row.execution() + ":" + row.seq()));

        Clock clock = Clock.fixed(world.now, ZoneOffset.UTC);
        RetentionReport report =
                new Retention(vertx, database, new Partitions(database, clock), CONFIG, clock, LIMITS).run(false);

        assertThat(report.errors()).isEmpty();
        String left = postgres.text(
                "SELECT coalesce(string_agg(execution_id || ':' || seq, ',' ORDER BY execution_id, seq), '')"
                        + " FROM tailrace.workflow_execution_logs");
        assertThat(left.isEmpty() ? Set.<String>of() : new TreeSet<>(List.of(left.split(","))))
                .isEqualTo(kept);
        assertThat(postgres.number("SELECT coalesce(sum((pgstattuple(oid)).dead_tuple_count), 0)::int8 FROM pg_class"
                        + " WHERE relispartition AND relkind = 'r'"))
                .as("dead rows")
                .isZero();
    }

    /** SPEC 10, read plainly. */
    private static boolean kept(World world, Row row) {
        LocalDate day = LocalDate.ofInstant(row.receivedAt(), ZoneOffset.UTC);
        if (day.isBefore(LocalDate.ofInstant(world.now, ZoneOffset.UTC).minusDays(LOG_DAYS))) {
            return false;
        }
        String workflow = world.workflowOf.get(row.execution());
        String tier = workflow == null ? null : world.tierOf.get(workflow);
        for (Policy policy : world.policies) {
            boolean meant = policy.workflow() != null
                    ? policy.workflow().equals(workflow)
                    : java.util.Objects.equals(policy.tier(), tier);
            if (!meant) {
                continue;
            }
            if (policy.maxAgeDays() != null
                    && row.receivedAt()
                            .isBefore(world.now.minusNanos(
                                    (long) (policy.maxAgeDays() * TimeUnit.DAYS.toMicros(1)) * 1_000))) {
                return false;
            }
            if (policy.newestN() != null
                    && world.rows.stream()
                                    .filter(other ->
                                            other.execution().equals(row.execution()) && other.seq() > row.seq())
                                    .count()
                            >= policy.newestN()) {
                return false;
            }
        }
        return true;
    }

    private static World world(Random random) {
        World world = new World();
        ColdData data = new ColdData(postgres).collect();
        postgres.execute("TRUNCATE tailrace.workflow_executions, tailrace.workflow_execution_logs, tailrace.workflows,"
                + " tailrace.retention_policies");
        world.now = START.plusDays(14).atStartOfDay().toInstant(ZoneOffset.UTC).plusMillis(random.nextInt(86_400_000));
        for (int age = 0; age < 15; age++) {
            data.partition(START.plusDays(age));
        }
        for (int i = 0; i < 3; i++) {
            String tier = "t" + random.nextInt(2);
            world.tierOf.put("w" + i, tier);
            data.workflow("w" + i, tier);
        }
        for (int i = 0; i < 2 + random.nextInt(3); i++) {
            boolean byWorkflow = random.nextBoolean();
            boolean byAge = random.nextBoolean();
            Policy policy = new Policy(
                    byWorkflow ? "w" + random.nextInt(3) : null,
                    byWorkflow ? null : "t" + random.nextInt(2),
                    byAge ? random.nextInt(1, 20) / 2.0 : null,
                    !byAge || random.nextInt(3) == 0 ? (Long) (long) random.nextInt(1, 12) : null);
            world.policies.add(policy);
            data.policy("p" + i, policy.workflow(), policy.tier(), policy.maxAgeDays(), policy.newestN());
        }
        for (int i = 0; i < 4; i++) {
            execution(world, data, "e" + i, random);
        }
        data.flush();
        return world;
    }

    private static void execution(World world, ColdData data, String id, Random random) {
        String workflow = "w" + random.nextInt(3);
        world.workflowOf.put(id, workflow);
        int count = random.nextInt(15);
        long seq = 0;
        Instant at = world.now.minus(Duration.ofHours(random.nextInt(1, 14 * 24)));
        Instant first = START.atStartOfDay().toInstant(ZoneOffset.UTC);
        at = at.isBefore(first) ? first : at;
        for (int i = 0; i < count && !at.isAfter(world.now); i++) {
            seq += 1 + random.nextInt(3); // technical entries between them are not here
            world.rows.add(new Row(id, seq, at));
            data.row(id, seq, at);
            // Now and then exactly as old as a policy says, and a microsecond off.
            at = random.nextInt(4) == 0
                    ? at.plus(Duration.ofHours(12)).plusNanos(1_000L * (random.nextInt(3) - 1))
                    : at.plusSeconds(random.nextInt(1, 100_000));
        }
        data.execution(id, workflow, seq, at);
    }
}
