package tailrace.model;

import org.jspecify.annotations.Nullable;

/** What {@code PUT /v2/executions/{id}} sets; null leaves a member as it is. A service may change the owner by it. */
public record ExecutionUpdate(
        String executionId,
        @Nullable ExecutionStatus status,
        @Nullable String workflowId,
        @Nullable String userId,
        long receivedAtMicros) {}
