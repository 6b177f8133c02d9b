/**
 * The hot tier in Redis, where one is configured: a cursor over the journal that writes every entry, and readers. Redis
 * holds copies only; whatever it lacks, the journal and PostgreSQL have.
 */
@NullMarked
package tailrace.redis;

import org.jspecify.annotations.NullMarked;
