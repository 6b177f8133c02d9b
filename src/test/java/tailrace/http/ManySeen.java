package tailrace.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import tailrace.http.SseClient.Event;

/** What a reader of many executions has been shown, over all its connections. */
final class ManySeen {
    final Map<String, List<Long>> seqs = new TreeMap<>();
    final Map<String, List<Long>> completes = new TreeMap<>();
    final List<JsonObject> others = new ArrayList<>();

    @Nullable
    String lastId;

    int longestId;

    /** Notes an event; its id stands for everything so far. */
    void take(Event event) {
        if (event.comment() || event.data() == null) {
            return;
        }
        JsonObject json = event.json();
        String session = json.getString("session_id");
        switch (event.type()) {
            case "LOG" ->
                seqs.computeIfAbsent(session, id -> new ArrayList<>())
                        .add(json.getJsonObject("data").getLong("seq"));
            case "COMPLETE" ->
                completes
                        .computeIfAbsent(session, id -> new ArrayList<>())
                        .add(json.getJsonObject("data").getLong("last_seq"));
            default -> others.add(json);
        }
        if (event.id() != null) {
            lastId = event.id();
            longestId = Math.max(longestId, event.id().length());
        }
    }

    int completed(String executionId) {
        return completes.getOrDefault(executionId, List.of()).size();
    }

    int count(String executionId) {
        return seqs.getOrDefault(executionId, List.of()).size();
    }

    long total() {
        return seqs.values().stream().mapToLong(List::size).sum();
    }

    @Override
    public String toString() {
        String counts = seqs.entrySet().stream()
                .map(one -> one.getKey() + ": " + one.getValue().size())
                .collect(Collectors.joining(", "));
        return counts + "; completed " + completes + "; " + others + "; last id " + lastId;
    }

    /** Each entry once and in order. */
    void assertAll(String executionId, long lastSeq) {
        assertThat(seqs.getOrDefault(executionId, List.of()))
                .as(executionId)
                .isEqualTo(LongStream.rangeClosed(1, lastSeq).boxed().toList());
    }
}
