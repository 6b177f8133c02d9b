package tailrace.export;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.NamedCsvRecord;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tailrace.model.EntryCodec;
import tailrace.model.EntryFields;
import tailrace.model.LogEntry;
import tailrace.model.StorableText;
import tailrace.query.Coverage;

/** CSV read back by a reader gives the entries again, and a spreadsheet nothing to calculate. */
class CsvFormatTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Set<String> OBJECTS = Set.of("data", "technical_details", "performance_metrics");
    private static final Set<String> ALWAYS = Set.of("execution_id", "display_priority", "is_milestone", "truncated");

    private static List<NamedCsvRecord> rows(List<LogEntry> entries) throws IOException {
        String csv = Samples.text(ExportFormat.CSV, "UTC", entries, Coverage.COMPLETE);
        try (var reader = CsvReader.builder().ofNamedCsvRecord(csv)) {
            return reader.stream().toList();
        }
    }

    /** The reverse of what is documented: one apostrophe away wherever one stands before such a character. */
    private static String asSent(String cell) {
        return cell.matches("(?s)'+[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20].*") ? cell.substring(1) : cell;
    }

    private static void requireSame(NamedCsvRecord row, LogEntry entry) throws IOException {
        JsonNode json = JSON.readTree(entry.json());
        for (String column : CsvFormat.COLUMNS) {
            String cell = row.getField(column);
            JsonNode member = json.path(column);
            if (member.isMissingNode() || member.isNull()) {
                assertThat(ALWAYS.contains(column) || cell.isEmpty()).as(column).isTrue();
            } else if (OBJECTS.contains(column)) {
                assertThat(JSON.readTree(cell)).as(column).isEqualTo(member);
            } else if (member.isNumber()) {
                assertThat(Double.parseDouble(cell)).as(column).isEqualTo(member.asDouble());
            } else {
                assertThat(asSent(cell)).as(column).isEqualTo(member.asText());
            }
        }
        json.fieldNames().forEachRemaining(name -> assertThat(CsvFormat.COLUMNS).contains(name));
    }

    @Test
    void readBackItIsTheEntries() throws IOException {
        List<LogEntry> entries = Samples.entries();
        List<NamedCsvRecord> rows = rows(entries);
        assertThat(rows).hasSize(entries.size());
        Set<String> seen = new TreeSet<>(Set.of("execution_id"));
        for (int i = 0; i < rows.size(); i++) {
            assertThat(rows.get(i).getField("execution_id")).isEqualTo("run/1");
            requireSame(rows.get(i), entries.get(i));
            JSON.readTree(entries.get(i).json()).fieldNames().forEachRemaining(seen::add);
        }
        assertThat(seen).as("the samples have every column").isEqualTo(new TreeSet<>(CsvFormat.COLUMNS));
    }

    @Property(tries = 500)
    void anyTextComesBack(
            @ForAll String message,
            @ForAll String friendly,
            @ForAll String node,
            @ForAll String stack,
            @ForAll @LongRange(min = 0, max = 4_000_000_000_000_000L) long micros)
            throws IOException {
        var fields = new EntryFields();
        fields.id = new UUID(1, 2);
        fields.message = StorableText.of("-" + message);
        fields.userFriendlyMessage = StorableText.of(friendly + "\r");
        fields.nodeName = StorableText.of("'=" + node);
        fields.stackTrace = StorableText.of(stack);
        fields.timestampMicros = micros;
        var entry = new LogEntry(7, new EntryCodec().encode(fields));
        requireSame(rows(List.of(entry)).get(0), entry);
    }

    @ParameterizedTest
    @ValueSource(strings = {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "'=1", "''-1"})
    void whatWouldBeCalculatedIsShown(String attack) {
        assertThat(CsvFormat.harmless(attack)).isEqualTo("'" + attack);
        assertThat(asSent(CsvFormat.harmless(attack))).isEqualTo(attack);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "plain", "1-1", "'quoted'", "'", "a=1", " =1", "{\"a\":1}"})
    void therestStaysAsItIs(String text) {
        assertThat(CsvFormat.harmless(text)).isEqualTo(text);
    }
}
