/**
 * Who is asking (tokens) and what they may see (ownership).
 */
@NullMarked
package tailrace.security;

import org.jspecify.annotations.NullMarked;
