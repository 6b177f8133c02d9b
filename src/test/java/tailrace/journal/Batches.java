package tailrace.journal;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tailrace.model.Bytes;
import tailrace.model.EntryCodec;
import tailrace.model.EntryFields;
import tailrace.model.IngestBatch;
import tailrace.model.IngestBatch.IdempotencyKey;
import tailrace.model.IngestBatch.PendingEntry;
import tailrace.model.LogEntry;

/** Batches as the parser would hand them to the journal, built member by member. */
final class Batches {
    /** Epoch microseconds: 2026-03-01T12:00:00Z. */
    static final long NOW = 1_772_366_400_000_000L;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<PendingEntry> entries = new ArrayList<>();
    private @Nullable IdempotencyKey key;

    static Batches batch() {
        return new Batches();
    }

    static IngestBatch of(String executionId, String... messages) {
        Batches batch = batch();
        for (String message : messages) {
            batch.entry(executionId, message);
        }
        return batch.build();
    }

    Batches entry(String executionId, String message) {
        return entry(executionId, fields -> fields.message = message);
    }

    Batches entry(String executionId, Consumer<EntryFields> set) {
        return entry(executionId, null, set);
    }

    /** @param senderId the sender's id, or null where it gave none */
    Batches entry(String executionId, @Nullable UUID senderId, Consumer<EntryFields> set) {
        var fields = new EntryFields();
        fields.id = senderId == null ? UUID.randomUUID() : senderId;
        fields.message = "a message";
        fields.receivedAtMicros = NOW;
        fields.timestampMicros = NOW;
        set.accept(fields);
        byte[] id = null;
        if (senderId != null) {
            id = new byte[16];
            Bytes.putLong(id, 0, senderId.getMostSignificantBits());
            Bytes.putLong(id, 8, senderId.getLeastSignificantBits());
        }
        entries.add(new PendingEntry(
                entries.size(), executionId, fields.workflowId, fields.userId, id, new EntryCodec().encode(fields)));
        return this;
    }

    Batches key(String name, String fingerprint) {
        key = new IdempotencyKey(name, fingerprint.getBytes(StandardCharsets.UTF_8));
        return this;
    }

    IngestBatch build() {
        long bytes = entries.stream().mapToLong(entry -> entry.encoded().length).sum();
        return new IngestBatch(List.copyOf(entries), List.of(), key, bytes);
    }

    static String message(LogEntry entry) {
        try {
            JsonNode json = JSON.readTree(entry.json());
            return json.get("message").asText();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What the journal holds of an execution, as {@code seq:message}. */
    static List<String> told(Journal journal, String executionId) {
        return journal
                .entries(executionId, 0, Long.MAX_VALUE, true, Integer.MAX_VALUE, Long.MAX_VALUE, any -> true)
                .stream()
                .map(entry -> entry.seq() + ":" + message(entry))
                .toList();
    }
}
