package tailrace.postgres;

import io.vertx.core.json.JsonObject;
import org.jspecify.annotations.Nullable;
import tailrace.model.Timestamps;

/**
 * A workflow: who owns its executions where they name nobody, and which retention they get.
 *
 * @param userId the owner, or null
 * @param tier what retention policies go by, or null
 */
public record Workflow(
        String workflowId,
        @Nullable String name,
        @Nullable String userId,
        @Nullable String tier,
        long createdAtMicros,
        long updatedAtMicros) {

    /** As the API shows it. */
    public JsonObject json() {
        return new JsonObject()
                .put("workflow_id", workflowId)
                .put("name", name)
                .put("user_id", userId)
                .put("tier", tier)
                .put("created_at", Timestamps.format(createdAtMicros))
                .put("updated_at", Timestamps.format(updatedAtMicros));
    }
}
