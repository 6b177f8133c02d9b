/**
 * Reads that join the tiers by seq.
 */
@NullMarked
package tailrace.query;

import org.jspecify.annotations.NullMarked;
