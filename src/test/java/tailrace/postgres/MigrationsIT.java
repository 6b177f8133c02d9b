package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static tailrace.postgres.TestDatabase.await;

import io.vertx.core.Vertx;
import java.time.Clock;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class MigrationsIT {
    @Test
    void applyingAgainChangesNothing() {
        try (TestDatabase database = TestDatabase.empty()) {
            Migrations migrations = new Migrations("tailrace");

            assertThat(migrations.apply(database.url())).isPositive();
            assertThat(migrations.apply(database.url())).isZero();
        }
    }

    @Test
    void manyProcessesAtOnceApplyThemOnce() throws Exception {
        ExecutorService processes = Executors.newFixedThreadPool(4);
        try (TestDatabase alone = TestDatabase.empty();
                TestDatabase database = TestDatabase.empty()) {
            int all = new Migrations("tailrace").apply(alone.url());
            Callable<Integer> apply = () -> new Migrations("tailrace").apply(database.url());

            int applied = 0;
            for (Future<Integer> one : processes.invokeAll(List.of(apply, apply, apply, apply))) {
                applied += one.get();
            }

            assertThat(applied).isEqualTo(all);
        } finally {
            processes.shutdownNow();
        }
    }

    @Test
    void anotherSchemaIsAnotherTailrace() {
        try (TestDatabase database = TestDatabase.migrated()) {
            new Migrations("second").apply(database.url());

            assertThat(database.number("SELECT count(*) FROM second.journals")).isZero();
            assertThat(database.text("SELECT second.make_partition('2026-05-04')"))
                    .isEqualTo("t");
            assertThat(database.number(
                            "SELECT count(*) FROM pg_tables WHERE tablename = 'workflow_execution_logs_20260504'"))
                    .isEqualTo(1);
        }
    }

    @Test
    void nothingIsForThePublic() {
        try (TestDatabase database = TestDatabase.migrated()) {
            database.execute("SELECT tailrace.make_partition('2026-05-04')");

            assertThat(database.text("SELECT has_schema_privilege('public', 'tailrace', 'usage')"))
                    .isEqualTo("f");
            assertThat(database.number("SELECT count(*) FROM information_schema.role_table_grants"
                            + " WHERE table_schema = 'tailrace' AND grantee = 'PUBLIC'"))
                    .isZero();
            assertThat(database.number("SELECT count(*) FROM information_schema.role_routine_grants"
                            + " WHERE routine_schema = 'tailrace' AND grantee = 'PUBLIC'"))
                    .isZero();
        }
    }

    @Test
    void partitionsAreMadeAheadInUtcWhateverTheServersZone() {
        Vertx vertx = Vertx.vertx();
        try (TestDatabase database = TestDatabase.migrated()) {
            database.execute("ALTER DATABASE " + database.url().database() + " SET timezone = 'Asia/Tokyo'");
            Clock clock = Clock.fixed(Instant.parse("2026-02-27T23:30:00Z"), ZoneOffset.UTC);

            await(new Partitions(database.open(vertx), clock).ensureAhead());
            await(new Partitions(database.open(vertx), clock).ensureAhead());

            assertThat(database.text("SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class"
                            + " WHERE relispartition AND relkind = 'r'"))
                    .isEqualTo("workflow_execution_logs_20260227,workflow_execution_logs_20260228,"
                            + "workflow_execution_logs_20260301,workflow_execution_logs_20260302");
            database.execute("ALTER DATABASE " + database.url().database() + " SET timezone = 'UTC'");
            assertThat(database.text("SELECT pg_get_expr(relpartbound, oid) FROM pg_class"
                            + " WHERE relname = 'workflow_execution_logs_20260227'"))
                    .contains("2026-02-27 00:00:00+00", "2026-02-28 00:00:00+00");
        } finally {
            await(vertx.close());
        }
    }

    @Test
    void manyLanesMayMakeTheSamePartition() {
        Vertx vertx = Vertx.vertx();
        try (TestDatabase database = TestDatabase.migrated()) {
            Database open = database.open(vertx);
            List<LocalDate> day = List.of(LocalDate.of(2026, 7, 1));

            await(io.vertx.core.Future.all(List.of(
                    new Partitions(open, Clock.systemUTC()).ensure(open.pool(), day),
                    new Partitions(open, Clock.systemUTC()).ensure(open.pool(), day),
                    new Partitions(open, Clock.systemUTC()).ensure(open.pool(), day))));

            assertThat(database.number("SELECT count(*) FROM pg_class WHERE relispartition AND relkind = 'r'"))
                    .isEqualTo(1);
        } finally {
            await(vertx.close());
        }
    }
}
