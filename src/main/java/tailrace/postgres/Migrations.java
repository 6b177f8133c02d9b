package tailrace.postgres;

import java.util.Map;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.output.MigrateResult;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the schema up to date from {@code sql/} on the classpath. Any number of processes may do so at once: Flyway's
 * advisory lock lets one work and the others wait. Blocks; call it on a worker.
 */
public final class Migrations {
    private static final Logger LOG = LoggerFactory.getLogger(Migrations.class);

    /** Attempts a second apart while another process migrates. */
    private static final int LOCK_RETRIES = 60;

    private final String schema;

    /** @param schema a plain lower-case identifier; made if it is missing */
    public Migrations(String schema) {
        this.schema = schema;
    }

    /**
     * Applies what is missing.
     *
     * @return how many migrations were applied
     * @throws FlywayException if the database cannot be reached, or its schema is not what {@code sql/} made
     */
    public int apply(DatabaseUrl target) {
        MigrateResult result = Flyway.configure(Migrations.class.getClassLoader())
                .dataSource(target.jdbcUrl(), target.user(), target.password().value())
                .locations("classpath:sql")
                .schemas(schema)
                .defaultSchema(schema)
                .createSchemas(true)
                .placeholders(Map.of("schema", schema))
                .lockRetryCount(LOCK_RETRIES)
                .validateMigrationNaming(true)
                .cleanDisabled(true)
                .load()
                .migrate();
        if (result.migrationsExecuted > 0) {
            LOG.info(
                    "schema {} is at version {}, {} migrations applied",
                    schema,
                    result.targetSchemaVersion,
                    result.migrationsExecuted);
        }
        return result.migrationsExecuted;
    }
}
