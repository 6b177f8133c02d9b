package tailrace.query;

import java.util.SortedMap;
import tailrace.stats.Cell;

/**
 * What was counted of a workflow, as far as the reader may see it.
 *
 * @param query what was asked
 * @param total all of it
 * @param buckets by the epoch microseconds of their beginning, ascending; those without anything are left out
 */
public record WorkflowStats(StatsQuery query, Cell total, SortedMap<Long, Cell> buckets) {}
