/**
 * The cold tier: embedded server, migrations, the writer's transactions and the readers' queries. All SQL is in {@link tailrace.postgres.Sql}.
 */
@NullMarked
package tailrace.postgres;

import org.jspecify.annotations.NullMarked;
