/**
 * The durable log: gives seq, commits groups of batches with one fsync, serves reads by execution and by position.
 */
@NullMarked
package tailrace.journal;

import org.jspecify.annotations.NullMarked;
