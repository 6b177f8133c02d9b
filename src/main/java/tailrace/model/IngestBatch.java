package tailrace.model;

import java.util.List;
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
