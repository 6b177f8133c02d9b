package tailrace.postgres;

import io.vertx.core.json.JsonObject;
import org.jspecify.annotations.Nullable;
import tailrace.model.Timestamps;

/**
 * Keeps less than {@code LOG_RETENTION_DAYS} of the executions of one workflow or one tier. Of several that an execution
 * falls under, each is applied: the shortest wins.
 *
 * @param id for people and file names: letters, digits, {@code . _ -}
 * @param workflowId whose executions, or null where it is by tier; exactly one of the two is given
 * @param tier of the workflows whose executions, or null
 * @param maxAgeDays since receipt, after which entries go, or null
 * @param newestN entries of each execution that are kept, by seq, or null; at least one of the two limits is given
 * @param createdAtMicros 0 while it is not stored
 */
public record RetentionPolicy(
        String id,
        @Nullable String workflowId,
        @Nullable String tier,
        @Nullable Double maxAgeDays,
        @Nullable Long newestN,
        long createdAtMicros,
        long updatedAtMicros) {

    /** One not stored yet. */
    public RetentionPolicy(
            String id,
            @Nullable String workflowId,
            @Nullable String tier,
            @Nullable Double maxAgeDays,
            @Nullable Long newestN) {
        this(id, workflowId, tier, maxAgeDays, newestN, 0, 0);
    }

    /** As the API shows it. */
    public JsonObject json() {
        return new JsonObject()
                .put("id", id)
                .put("workflow_id", workflowId)
                .put("tier", tier)
                .put("max_age_days", maxAgeDays)
                .put("newest_n", newestN)
                .put("created_at", Timestamps.format(createdAtMicros))
                .put("updated_at", Timestamps.format(updatedAtMicros));
    }
}
