/**
 * From the bytes of a request to entries that every tier can hold: parse, check, mask, encode. No I/O.
 */
@NullMarked
package tailrace.ingest;

import org.jspecify.annotations.NullMarked;
