/**
 * What a workflow's entries and runs come to over time: cells of a minute, an hour, a day that {@link
 * tailrace.stats.Rollups} fills as entries are folded, and that are added up again where they are read.
 */
@NullMarked
package tailrace.stats;

import org.jspecify.annotations.NullMarked;
