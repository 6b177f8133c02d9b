package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What was sent and what the answers said of it: which text got which seq. Every text is unique, so an entry that is
 * lost, doubled, or told under another's seq shows.
 */
final class Ledger {
    /** A text that begins with it is sent with a friendly message, and so must be in PostgreSQL. */
    static final String FRIENDLY = "friendly ";

    private final Map<String, TreeMap<Long, String>> acknowledged = new HashMap<>();
    private final Set<String> sent = new java.util.HashSet<>();
    private int batches;

    synchronized void sent(List<String> texts) {
        sent.addAll(texts);
    }

    /** Takes down an answer of 202. @param texts by execution, in the order they were sent */
    synchronized void answered(JsonNode answer, Map<String, List<String>> texts) {
        batches++;
        for (JsonNode range : answer.get("executions")) {
            String execution = range.get("execution_id").asText();
            long seq = range.get("first_seq").asLong();
            for (String text : texts.get(execution)) {
                String before = acknowledged
                        .computeIfAbsent(execution, any -> new TreeMap<>())
                        .put(seq++, text);
                assertThat(before).as("two texts were given seq %d", seq - 1).isNull();
            }
            assertThat(seq - 1).isEqualTo(range.get("last_seq").asLong());
        }
    }

    synchronized int batches() {
        return batches;
    }

    synchronized Set<String> executions() {
        return new TreeSet<>(acknowledged.keySet());
    }

    synchronized Map<Long, String> of(String execution) {
        return new TreeMap<>(acknowledged.getOrDefault(execution, new TreeMap<>()));
    }

    /** All that is told of an execution, checked against the answers; as {@code seq:text}. */
    synchronized List<String> check(String execution, List<JsonNode> entries) {
        List<String> told = new ArrayList<>();
        Map<Long, String> bySeq = new HashMap<>();
        Set<String> texts = new java.util.HashSet<>();
        long expected = 1;
        for (JsonNode entry : entries) {
            long seq = entry.get("seq").asLong();
            String text = text(entry);
            assertThat(seq)
                    .as("seq in %s, without a hole and in order", execution)
                    .isEqualTo(expected++);
            assertThat(texts.add(text)).as("%s is there once", text).isTrue();
            // Not contains(): it looks through the whole set, for every entry.
            assertThat(sent.contains(text)).as("%s was sent", text).isTrue();
            bySeq.put(seq, text);
            told.add(seq + ":" + text);
        }
        assertThat(bySeq).as("what was acknowledged of %s", execution).containsAllEntriesOf(of(execution));
        return told;
    }

    static String text(JsonNode entry) {
        return (entry.has("raw_message") ? entry.get("raw_message") : entry.get("message")).asText();
    }

    static List<String> friendly(List<String> told) {
        return told.stream()
                .filter(line -> line.substring(line.indexOf(':') + 1).startsWith(FRIENDLY))
                .toList();
    }
}
