package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static tailrace.postgres.TestDatabase.await;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.DecimalNode;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tailrace.model.EntryFields;
import tailrace.model.EventType;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionStatus;
import tailrace.model.Level;
import tailrace.model.LogCategory;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.security.Principal;

/** Promise 2: every tier tells the same. */
class LogReaderIT {
    private static final ObjectMapper JSON =
            new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

    private Vertx vertx;
    private TestDatabase postgres;
    private LogReader reader;
    private Database database;
    private final InMemoryJournal journal = new InMemoryJournal();

    @BeforeEach
    void open() {
        vertx = Vertx.vertx();
        postgres = TestDatabase.migrated();
        database = postgres.open(vertx);
        reader = new LogReader(database, new Readers(database)).as(Principal.SERVER);
    }

    @AfterEach
    void close() {
        postgres.close();
        await(vertx.close());
    }

    private void write(List<EntryFields> entries) {
        journal.append("e", entries);
        new WriterFixture(vertx, database, journal, WriterFixture.CONFIG).close();
    }

    private List<LogEntry> hot(LogFilter filter) {
        return journal.entries("e", 1, Long.MAX_VALUE, true, 1_000, Long.MAX_VALUE, filter);
    }

    @Test
    void anEntryReadsTheSameAsInTheJournal() throws Exception {
        EntryFields farPast = TestEntries.friendly("before 1970");
        farPast.timestampMicros = -62_135_596_799_999_999L; // 0001-01-01T00:00:00.000001Z
        EntryFields farFuture = TestEntries.friendly("after 9000");
        farFuture.timestampMicros = 253_402_300_799_999_999L; // 9999-12-31T23:59:59.999999Z
        EntryFields zero = TestEntries.friendly("zero");
        zero.progressHundredths = 0;
        zero.durationSeconds = 0.0;
        zero.displayPriority = 1;
        write(List.of(TestEntries.full(), TestEntries.friendly("plain"), farPast, farFuture, zero));

        List<LogEntry> cold = await(reader.entries("e", 1, Long.MAX_VALUE, true, 100, LogFilter.ALL));

        List<LogEntry> hot = hot(LogFilter.ALL);
        assertThat(cold).hasSameSizeAs(hot);
        for (int i = 0; i < hot.size(); i++) {
            assertThat(cold.get(i).seq()).isEqualTo(hot.get(i).seq());
            assertThat(tree(cold.get(i))).isEqualTo(tree(hot.get(i)));
            byte[] header = Arrays.copyOf(hot.get(i).encoded(), 26);
            assertThat(Arrays.copyOf(cold.get(i).encoded(), 26)).isEqualTo(header);
        }
        assertThat(cold.get(1).encoded()).isEqualTo(hot.get(1).encoded());
    }

    /** Equal as JSON: 1e2 is 100.0 is 100. */
    private static JsonNode tree(LogEntry entry) throws Exception {
        return normalised(JSON.readTree(entry.json()));
    }

    private static JsonNode normalised(JsonNode node) {
        if (node.isNumber()) {
            return DecimalNode.valueOf(node.decimalValue().stripTrailingZeros());
        }
        if (node.isObject()) {
            var object = JSON.createObjectNode();
            node.properties().forEach(member -> object.set(member.getKey(), normalised(member.getValue())));
            return object;
        }
        if (node.isArray()) {
            var array = JSON.createArrayNode();
            node.forEach(item -> array.add(normalised(item)));
            return array;
        }
        return node;
    }

    @Test
    void filtersSayTheSameAsTheJournals() {
        List<EntryFields> entries = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            EntryFields fields = TestEntries.friendly("m" + i);
            fields.level = Level.values()[i % Level.values().length];
            fields.eventType = EventType.values()[i % EventType.values().length];
            fields.category = i % 3 == 0 ? LogCategory.TECHNICAL : LogCategory.BUSINESS;
            fields.displayPriority = 1 + i % 10;
            fields.milestone = i % 4 == 0;
            fields.timestampMicros = TestEntries.NOW + i * 1_000L;
            entries.add(fields);
        }
        write(entries);
        long from = TestEntries.NOW + 10_000;
        long to = TestEntries.NOW + 40_000;
        List<LogFilter> filters = List.of(
                LogFilter.ALL,
                new LogFilter(
                        Set.of(Level.ERROR, Level.CRITICAL), Set.of(), null, 1, null, Long.MIN_VALUE, Long.MAX_VALUE),
                new LogFilter(Set.of(), Set.of(EventType.LOG, EventType.STEP_ERROR), null, 1, null, from, to),
                new LogFilter(Set.of(), Set.of(), LogCategory.BUSINESS, 6, null, Long.MIN_VALUE, to),
                new LogFilter(Set.of(), Set.of(), LogCategory.TECHNICAL, 1, true, from, Long.MAX_VALUE),
                new LogFilter(Set.of(), Set.of(), null, 1, false, Long.MIN_VALUE, Long.MAX_VALUE));

        for (LogFilter filter : filters) {
            List<Long> expected = hot(filter).stream().map(LogEntry::seq).toList();
            assertThat(await(reader.entries("e", 1, Long.MAX_VALUE, true, 1_000, filter)))
                    .extracting(LogEntry::seq)
                    .isEqualTo(expected);
            assertThat(await(reader.count("e", 1, Long.MAX_VALUE, filter))).isEqualTo(expected.size());
        }
    }

    @Test
    void pagesBySeqInBothDirections() {
        write(TestEntries.friendly(30));

        assertThat(await(reader.entries("e", 11, 25, true, 4, LogFilter.ALL)))
                .extracting(LogEntry::seq)
                .containsExactly(11L, 12L, 13L, 14L);
        assertThat(await(reader.entries("e", 11, 25, false, 3, LogFilter.ALL)))
                .extracting(LogEntry::seq)
                .containsExactly(25L, 24L, 23L);
        assertThat(await(reader.entries("other", 1, 100, true, 3, LogFilter.ALL)))
                .isEmpty();
    }

    @Test
    void anExecutionReadsTheSameAsInTheJournal() {
        write(List.of(TestEntries.full(), TestEntries.technical("t")));
        journal.move("e", ExecutionStatus.WAITING_FOR_HUMAN);
        new WriterFixture(vertx, database, journal, WriterFixture.CONFIG).close();

        ExecutionState cold = await(reader.execution("e")).orElseThrow();

        ExecutionState hot = journal.execution("e").orElseThrow();
        assertThat(cold).usingRecursiveComparison().ignoringFields("hotFromSeq").isEqualTo(hot);
        assertThat(cold.hotFromSeq()).isEqualTo(3);
        assertThat(await(reader.execution("unknown"))).isEmpty();
    }
}
