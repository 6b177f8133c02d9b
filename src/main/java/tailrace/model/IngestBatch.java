package tailrace.model;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A parsed request: what may be appended, and what was already refused.
 *
 * @param entries in the sender's order
 * @param rejected so far
 * @param key the request's idempotency key, or null
 * @param bytes memory the entries hold, for the queue's bound
 */
public record IngestBatch(
        List<PendingEntry> entries,
        List<Rejection> rejected,
        @Nullable IdempotencyKey key,
        long bytes) {

    /** The executions its entries belong to, in order of first appearance. */
    public Set<String> executions() {
        if (entries.isEmpty()) {
            return Set.of();
        }
        String first = entries.get(0).executionId();
        Set<String> all = null;
        String last = first;
        for (PendingEntry entry : entries) {
            // Nearly always the same as before, and then often the same object.
            if (!entry.executionId().equals(last)) {
                if (all == null) {
                    all = new LinkedHashSet<>();
                    all.add(first);
                }
                last = entry.executionId();
                all.add(last);
            }
        }
        return all == null ? Set.of(first) : all;
    }

    /**
     * An entry without a seq.
     *
     * @param index in the request, for rejections
     * @param workflowId the owner's claim this entry makes, or null
     * @param userId likewise
     * @param senderId the id the sender gave (16 bytes), which makes the entry idempotent; null where the server gave one
     * @param encoded as {@link EntryCodec} made it
     */
    public record PendingEntry(
            int index,
            String executionId,
            @Nullable String workflowId,
            @Nullable String userId,
            byte @Nullable [] senderId,
            byte[] encoded) {}

    /**
     * @param key as sent, prefixed with the sender's subject
     * @param fingerprint SHA-256 of path and body
     */
    public record IdempotencyKey(String key, byte[] fingerprint) {}
}
