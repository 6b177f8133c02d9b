package tailrace.query;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tailrace.journal.ExecutionIndex;
import tailrace.model.EventType;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionState.Counts;
import tailrace.model.ExecutionStatus;
import tailrace.model.Level;
import tailrace.security.Principal;

/** Lists over two tiers that hold whatever they hold, against a plain sort and filter. */
class ExecutionListTest {
    private static final Principal SERVICE = new Principal("", true, Long.MAX_VALUE);
    private static final Principal ANNA = new Principal("anna", false, Long.MAX_VALUE);
    private static final Comparator<ExecutionState> NEWEST_FIRST = Comparator.comparingLong(
                    ExecutionState::createdAtMicros)
            .reversed()
            .thenComparing(ExecutionState::executionId);

    private final Vertx vertx = Vertx.vertx();
    private final FakeJournal journal = new FakeJournal();
    private final Random random = new Random(17);
    /** What is true of each execution. */
    private final TreeMap<String, ExecutionState> all = new TreeMap<>();

    private final TreeMap<String, ExecutionState> hot = new TreeMap<>();
    private final TreeMap<String, ExecutionState> flushed = new TreeMap<>();
    private boolean coldAway;
    private long indexed = Long.MAX_VALUE;
    private final ExecutionList list =
            new ExecutionList(vertx, new HotJournal(), new Index(), () -> indexed, () -> 0, new Cold(), executions());

    @AfterEach
    void close() throws Exception {
        vertx.close().await(10, TimeUnit.SECONDS);
    }

    private Executions executions() {
        return new Executions(new Tiers(vertx, journal, new FakeCold()), Access.BY_OWNER);
    }

    /** Knows the hot states; its records are those behind the index. */
    private final class HotJournal implements tailrace.journal.Journal {
        @Override
        public tailrace.model.JournalId id() {
            return journal.id();
        }

        @Override
        public long lastPosition() {
            return hot.size();
        }

        @Override
        public long firstPosition() {
            return 1;
        }

        @Override
        public List<tailrace.model.JournalRecord> records(long afterPosition, int maxRecords, int maxEntries) {
            return hot.values().stream()
                    .filter(state -> state.lastPosition() > afterPosition)
                    .sorted(Comparator.comparingLong(ExecutionState::lastPosition))
                    .limit(maxRecords)
                    .map(state ->
                            new tailrace.model.JournalRecord(state.lastPosition(), state.executionId(), 1, 0, 0, false))
                    .toList();
        }

        @Override
        public Optional<ExecutionState> execution(String executionId) {
            return Optional.ofNullable(hot.get(executionId));
        }

        @Override
        public List<tailrace.model.LogEntry> entries(
                String executionId,
                long fromSeq,
                long toSeq,
                boolean ascending,
                int maxEntries,
                long maxBytes,
                java.util.function.Predicate<tailrace.model.LogEntry> filter) {
            return List.of();
        }

        @Override
        public long count(
                String executionId,
                long fromSeq,
                long toSeq,
                java.util.function.Predicate<tailrace.model.LogEntry> filter) {
            return 0;
        }
    }

    private Stream<ExecutionState> behind(Stream<ExecutionState> states, ExecutionIndex.Place after, long since) {
        return states.filter(state -> state.createdAtMicros() >= since)
                .filter(state -> state.createdAtMicros() < after.createdAtMicros()
                        || state.createdAtMicros() == after.createdAtMicros()
                                && state.executionId().compareTo(after.executionId()) > 0)
                .sorted(NEWEST_FIRST);
    }

    /** As the journal's: it stops after some keys, whether they were wanted or not. */
    private final class Index implements ExecutionIndex {
        @Override
        public Piece newest(Scope scope, Place after, long sinceMicros, int max) {
            List<ExecutionState> keys = behind(
                            hot.values().stream().filter(state -> state.lastPosition() <= indexed), after, sinceMicros)
                    .toList();
            int looked = Math.min(keys.size(), 1 + random.nextInt(30));
            List<ExecutionState> wanted =
                    keys.subList(0, looked).stream().filter(scope::holds).toList();
            boolean cut = wanted.size() > max;
            List<ExecutionState> found = cut ? wanted.subList(0, max) : wanted;
            ExecutionState last = cut ? found.get(max - 1) : looked < keys.size() ? keys.get(looked - 1) : null;
            return new Piece(found, last == null ? null : new Place(last.createdAtMicros(), last.executionId()));
        }
    }

    /** PostgreSQL: its policies show a reader also what is his by the workflow "annas". */
    private final class Cold implements ColdList {
        private Stream<ExecutionState> visible(Principal principal) {
            return flushed.values().stream().filter(state -> sees(principal, state));
        }

        @Override
        public Future<List<ExecutionState>> newest(
                Principal principal,
                @Nullable String workflowId,
                @Nullable ExecutionStatus status,
                ExecutionIndex.Place after,
                long sinceMicros,
                int max) {
            return coldAway
                    ? Future.failedFuture("PostgreSQL is away")
                    : Future.succeededFuture(behind(visible(principal), after, sinceMicros)
                            .filter(state -> workflowId == null || workflowId.equals(state.workflowId()))
                            .filter(state -> status == null || status == state.status())
                            .limit(max)
                            .toList());
        }

        @Override
        public Future<Long> count(Principal principal, String workflowId, List<String> perhaps) {
            List<String> ids = visible(principal)
                    .filter(state -> workflowId.equals(state.workflowId()))
                    .map(ExecutionState::executionId)
                    .toList();
            return Future.succeededFuture(ids.size()
                    + perhaps.stream().filter(id -> !ids.contains(id)).count());
        }
    }

    private static boolean sees(Principal principal, ExecutionState state) {
        return principal.service()
                || principal.subject().equals(state.userId())
                || state.userId() == null && "annas".equals(state.workflowId());
    }

    private ExecutionState state(
            String id,
            long created,
            ExecutionStatus status,
            long position,
            @Nullable String workflow,
            @Nullable String user) {
        return new ExecutionState(
                id,
                workflow,
                user,
                status,
                1,
                position,
                position,
                Counts.zero(Level.values().length),
                Counts.zero(EventType.values().length),
                0,
                -1,
                created,
                0,
                0,
                0,
                0,
                0,
                position);
    }

    private <T> T pick(List<T> from) {
        return from.get(random.nextInt(from.size()));
    }

    /** Somewhere; what is in both may be further in the journal. */
    private void make(int n, long created) {
        String id = String.format("e%04d", random.nextInt(10_000)) + n;
        String workflow = pick(List.of("w", "annas", ""));
        String user = pick(List.of("anna", "bert", ""));
        String of = workflow.isEmpty() ? null : workflow;
        String by = user.isEmpty() ? null : user;
        ExecutionState before = state(id, created, ExecutionStatus.RUNNING, 0, of, by);
        ExecutionState now = state(id, created, pick(List.of(ExecutionStatus.values())), n + 1L, of, by);
        int where = random.nextInt(3);
        if (where > 0) {
            hot.put(id, now);
        }
        if (where < 2) {
            flushed.put(id, where == 0 ? now : before);
        }
        all.put(id, now);
    }

    private List<ExecutionState> walk(Principal principal, ListQuery query, Runnable between) throws Exception {
        var found = new ArrayList<ExecutionState>();
        ExecutionIndex.Place after = query.after();
        while (after != null) {
            ListPage page = list.page(
                            principal,
                            new ListQuery(
                                    query.workflowId(), query.status(), query.sinceMicros(), query.limit(), after))
                    .await(10, TimeUnit.SECONDS);
            assertThat(page.states()).hasSizeLessThanOrEqualTo(query.limit());
            found.addAll(page.states());
            ExecutionIndex.Place next = page.next();
            after = next == null
                    ? null
                    : ListCursor.decode(ListCursor.encode(next)).orElseThrow();
            between.run();
        }
        return found;
    }

    @Test
    void everyWalkSeesEachExecutionOnceAsItIsNow() throws Exception {
        for (int round = 0; round < 40; round++) {
            all.clear();
            hot.clear();
            flushed.clear();
            int count = random.nextInt(120);
            for (int n = 0; n < count; n++) {
                make(n, 1_000 + random.nextInt(40));
            }
            indexed = random.nextBoolean() ? Long.MAX_VALUE : random.nextInt(count + 1);
            long since = random.nextBoolean() ? 0 : 1_010;
            String workflow = pick(List.of("w", "annas", ""));
            var query = new ListQuery(
                    workflow.isEmpty() ? null : workflow,
                    random.nextBoolean() ? null : ExecutionStatus.RUNNING,
                    since,
                    1 + random.nextInt(20),
                    ExecutionIndex.Place.START);
            Principal principal = random.nextBoolean() ? SERVICE : ANNA;
            List<ExecutionState> expected = all.values().stream()
                    .filter(state -> state.createdAtMicros() >= since)
                    .filter(state ->
                            query.workflowId() == null || query.workflowId().equals(state.workflowId()))
                    .filter(state -> query.status() == null || query.status() == state.status())
                    // The journal alone knows no owner of a workflow; and a status that PostgreSQL has yet to learn
                    .filter(state -> principal.service()
                            || "anna".equals(state.userId())
                            || sees(principal, state)
                                    && flushed.containsKey(state.executionId())
                                    && (query.status() == null
                                            || Objects.requireNonNull(flushed.get(state.executionId()))
                                                            .status()
                                                    == query.status()))
                    .sorted(NEWEST_FIRST)
                    .toList();
            int[] made = {count};
            // New ones come while the pages are walked, as they do, after those that are there
            Runnable between = () -> make(made[0]++, 2_000 + made[0]);

            assertThat(walk(principal, query, between)).as("round %d", round).isEqualTo(expected);
        }
    }

    @Test
    void whatOnlyPostgresKnowsIsSaidToBeMissing() throws Exception {
        hot.put("h", state("h", 2_000, ExecutionStatus.RUNNING, 1, "w", "anna"));
        flushed.put("c", state("c", 1_000, ExecutionStatus.RUNNING, 1, "w", "anna"));
        coldAway = true;
        var query = new ListQuery("w", null, 0, 10, ExecutionIndex.Place.START);

        ListPage page = list.page(ANNA, query).await(10, TimeUnit.SECONDS);

        assertThat(page.states()).extracting(ExecutionState::executionId).containsExactly("h");
        assertThat(page.coldAway()).isTrue();
        hot.clear();
        assertThatThrownBy(() -> list.page(ANNA, query).await(10, TimeUnit.SECONDS))
                .isInstanceOf(History.UnreadableException.class);
    }

    @Test
    void whatChangedHandsIsNotShownByWhatPostgresDecidedBefore() throws Exception {
        flushed.put("e", state("e", 1_000, ExecutionStatus.RUNNING, 1, "w", "anna"));
        hot.put("e", state("e", 1_000, ExecutionStatus.RUNNING, 2, "w", "bert"));
        var query = new ListQuery("w", null, 0, 10, ExecutionIndex.Place.START);

        assertThat(list.page(ANNA, query).await(10, TimeUnit.SECONDS).states()).isEmpty();
    }

    @Test
    void aCursorThatIsNoneIsRefused() {
        String good = ListCursor.encode(new ExecutionIndex.Place(5, "ü"));
        assertThat(ListCursor.decode(good)).contains(new ExecutionIndex.Place(5, "ü"));
        for (String bad : List.of("", "x", "!!", good.substring(1), good + "AAAA", good.replace(good.charAt(9), '_'))) {
            assertThat(ListCursor.decode(bad)).as(bad).isEmpty();
        }
    }
}
