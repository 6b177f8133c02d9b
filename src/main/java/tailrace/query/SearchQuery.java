package tailrace.query;

import java.util.Optional;
import tailrace.model.LogFilter;

/**
 * What a request across executions asks for, checked.
 *
 * @param workflowId whose executions, or those of all workflows
 * @param limit entries, 1–1000
 * @param cursor where the page before ended
 */
public record SearchQuery(Optional<String> workflowId, LogFilter filter, int limit, Optional<SearchCursor> cursor) {}
