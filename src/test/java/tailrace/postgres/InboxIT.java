package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static tailrace.postgres.TestDatabase.await;
import static tailrace.postgres.TestDatabase.eventually;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Context;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import java.time.Clock;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tailrace.bus.Failure;
import tailrace.metrics.Metrics;

/** How rows of log_inbox leave it: taken once, in order, or marked; with a journal that does what the test says. */
class InboxIT {
    private static final String PENDING = "SELECT count(*) FROM tailrace.log_inbox WHERE error IS NULL";
    private static final String ROWS = "SELECT count(*) FROM tailrace.log_inbox";
    private static final int MAX_ENTRY_BYTES = 100_000;

    private final FakeIntake intake = new FakeIntake();
    private Vertx vertx;
    private Context context;
    private TestDatabase postgres;
    private CutProxy proxy;
    private Listener listener;
    private Inbox inbox;
    private volatile boolean mayTake = true;

    @BeforeEach
    void open() {
        vertx = Vertx.vertx();
        context = vertx.getOrCreateContext();
        postgres = TestDatabase.migrated();
        proxy = new CutProxy(vertx, postgres.url().port());
        Database database = postgres.open(vertx, proxy.port());
        Metrics metrics = new Metrics(new SimpleMeterRegistry());
        listener = new Listener(vertx, database, metrics);
        inbox = new Inbox(
                vertx, database, intake, () -> mayTake, MAX_ENTRY_BYTES, listener, Clock.systemUTC(), metrics);
        on(() -> listener.start(inbox::resume, inbox::wake));
        eventually(listener::connected);
    }

    @AfterEach
    void close() {
        Promise<Void> stopped = Promise.promise();
        context.runOnContext(none -> inbox.stop().eventually(listener::close).onComplete(stopped));
        await(stopped.future());
        proxy.close();
        postgres.close();
        await(vertx.close());
    }

    private void on(Runnable action) {
        Promise<Void> done = Promise.promise();
        context.runOnContext(none -> {
            action.run();
            done.complete();
        });
        await(done.future());
    }

    private void insert(String select) {
        postgres.execute("INSERT INTO tailrace.log_inbox (entry) " + select);
    }

    @Test
    void rowsAreTakenInOrderAndDeleted() {
        insert("SELECT to_json('row ' || i) FROM generate_series(1, 1200) i");
        insert("VALUES ('\"last\"')");

        eventually(() -> intake.stored().size() == 1_201);
        eventually(() -> postgres.number(ROWS) == 0);
        List<String> expected = new java.util.ArrayList<>(
                IntStream.rangeClosed(1, 1_200).mapToObj(i -> "row " + i).toList());
        expected.add("last");
        assertThat(intake.stored()).isEqualTo(expected);
        assertThat(intake.batches()).allMatch(size -> size <= Inbox.MAX_ROWS);
        eventually(() -> inbox.stats().taken() == 1_201);
        assertThat(inbox.stats().pollFound()).isZero();
        eventually(() -> inbox.stats().oldestPendingSeconds() == 0);
    }

    @Test
    void aBatchIsBoundedInBytesAndARowThatIsTooLargeIsNotRead() {
        insert("SELECT to_json(repeat('x', 90000)) FROM generate_series(1, 30)");
        insert("SELECT to_json(repeat('y', 200000))");
        insert("VALUES ('\"small\"')");

        eventually(() -> intake.stored().contains("small"));
        eventually(() -> postgres.number(PENDING) == 0);
        assertThat(intake.stored()).hasSize(31);
        assertThat(intake.batches()).allMatch(size -> size <= 13);
        assertThat(postgres.text("SELECT error FROM tailrace.log_inbox WHERE failed_at IS NOT NULL"))
                .startsWith("entry_too_large: The entry has 200002 bytes");
        assertThat(inbox.stats().rejected()).isEqualTo(1);
    }

    @Test
    void aBadRowStaysWithItsErrorUntilItIsMended() {
        insert("VALUES ('\"one\"'), ('\"bad\"'), ('\"two\"')");

        eventually(() -> intake.stored().size() == 2);
        eventually(() -> postgres.number(PENDING) == 0);
        assertThat(postgres.text("SELECT error FROM tailrace.log_inbox"))
                .isEqualTo("invalid_level (level): level is bad\uFFFD.");
        insert("VALUES ('\"three\"')");
        eventually(() -> intake.stored().size() == 3);

        postgres.execute("UPDATE tailrace.log_inbox SET entry = '\"good\"', error = NULL WHERE error IS NOT NULL");

        eventually(() -> intake.stored().equals(List.of("one", "two", "three", "good")));
        eventually(() -> postgres.number(ROWS) == 0);
    }

    @Test
    void whileTheJournalTakesNothingRowsWait() {
        intake.failure = new ReplyException(ReplyFailure.RECIPIENT_FAILURE, Failure.JOURNAL_FULL, "full");
        insert("SELECT to_json(i) FROM generate_series(1, 700) i");
        eventually(() -> intake.batches().size() >= 3);
        assertThat(postgres.number(PENDING)).isEqualTo(700);
        assertThat(inbox.stats().oldestPendingSeconds()).isPositive();

        intake.failure = null;

        eventually(() -> postgres.number(ROWS) == 0);
        assertThat(intake.stored()).hasSize(700);
        assertThat(intake.repeated()).isZero();
    }

    @Test
    void aRowThatMeetsADefectIsFoundAndTheOthersGoOn() {
        intake.defect = "poison";
        insert("SELECT to_json(CASE i WHEN 40 THEN 'poison' ELSE 'row ' || i END) FROM generate_series(1, 100) i");

        eventually(() -> postgres.number(PENDING) == 0);
        assertThat(intake.stored()).hasSize(99).doesNotContain("poison");
        assertThat(postgres.text("SELECT error FROM tailrace.log_inbox"))
                .isEqualTo("internal_error: java.lang.IllegalStateException: a defect");
    }

    @Test
    void whatIsDurableIsNotAppendedAgainWhenItsDeleteWasCutOff() {
        postgres.execute("CREATE FUNCTION cut_off() RETURNS trigger LANGUAGE plpgsql AS $$"
                + " BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$");
        postgres.execute("CREATE TRIGGER cut_off BEFORE DELETE ON tailrace.log_inbox"
                + " FOR EACH STATEMENT EXECUTE FUNCTION cut_off()");
        insert("SELECT to_json(i) FROM generate_series(1, 20) i");
        eventually(() -> intake.stored().size() == 20);
        insert("VALUES ('\"later\"')");
        eventually(() -> intake.stored().size() == 21);
        assertThat(postgres.number(PENDING)).isEqualTo(21);

        postgres.execute("DROP TRIGGER cut_off ON tailrace.log_inbox");

        eventually(() -> postgres.number(ROWS) == 0);
        assertThat(intake.stored()).hasSize(21);
        assertThat(intake.repeated()).isZero();
    }

    @Test
    void onlyWhoMayTakeTakes() {
        mayTake = false;
        insert("VALUES ('\"one\"')");
        on(inbox::poll);
        on(inbox::resume);
        assertThat(intake.batches()).isEmpty();

        mayTake = true;
        on(inbox::resume);

        eventually(() -> postgres.number(ROWS) == 0);
    }

    @Test
    void afterACutItListensReadsAndWaitsAgain() {
        proxy.cut();
        eventually(() -> !listener.connected());
        insert("VALUES ('\"meanwhile\"')");
        assertThat(intake.stored()).isEmpty();

        proxy.mend();

        eventually(() -> intake.stored().equals(List.of("meanwhile")));
        eventually(listener::connected);
        assertThat(listener.reconnects()).isPositive();
        insert("VALUES ('\"after\"')");
        eventually(() -> intake.stored().equals(List.of("meanwhile", "after")));
        assertThat(inbox.stats().pollFound()).isZero();
    }
}
