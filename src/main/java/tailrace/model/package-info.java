/**
 * What Tailrace speaks of: entries, executions, cursors. Immutable values; no I/O.
 */
@NullMarked
package tailrace.model;

import org.jspecify.annotations.NullMarked;
