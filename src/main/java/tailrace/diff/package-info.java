/**
 * What one run of a workflow did otherwise than another: {@link tailrace.diff.RunReader} reads a run into a
 * {@link tailrace.diff.RunTally} of bounded size, {@link tailrace.diff.RunDiff} compares two of them.
 */
@NullMarked
package tailrace.diff;

import org.jspecify.annotations.NullMarked;
