package tailrace.http;

import io.vertx.ext.web.RoutingContext;
import io.vertx.pgclient.PgException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.journal.JournalUnavailableException;
import tailrace.model.StorableText;
import tailrace.postgres.PostgresAwayException;
import tailrace.query.History;
import tailrace.security.Principal;

/** What the reading handlers have in common. */
final class Reading {
    /** The path parameter that holds the execution's id, in every route. */
    static final String EXECUTION_ID = "id";

    private static final int RETRY_AFTER_SECONDS = 2;
    private static final Logger LOG = LoggerFactory.getLogger(Reading.class);

    private Reading() {}

    static Principal principal(RoutingContext ctx) {
        Principal principal = ctx.get(Principal.KEY);
        if (principal == null) {
            throw Problem.of(401, "unauthorized", "A bearer token is needed.");
        }
        return principal;
    }

    static String executionId(RoutingContext ctx) {
        String id = ctx.pathParam(EXECUTION_ID);
        return id == null ? "" : StorableText.of(id);
    }

    /** The same for what is in PostgreSQL alone. */
    static Problem postgresProblem(Throwable failure) {
        if (failure instanceof Problem problem) {
            return problem;
        }
        if (failure instanceof PgException) {
            LOG.warn("PostgreSQL refused what was asked of it", failure);
        } else {
            LOG.debug("PostgreSQL is away, and only it has what was asked for", failure);
        }
        return Problem.unavailable(
                "postgres_unavailable",
                "This is kept in PostgreSQL, which does not answer now; try again shortly.",
                RETRY_AFTER_SECONDS);
    }

    /** The problem a client is told when a store failed; what happened goes to the log. */
    static Problem problem(Throwable failure) {
        if (failure instanceof Problem problem) {
            return problem;
        }
        if (failure instanceof History.UnreadableException || failure instanceof PostgresAwayException) {
            return Problem.unavailable(
                    "postgres_unavailable",
                    "What you asked for is in PostgreSQL, which does not answer now; try again shortly.",
                    RETRY_AFTER_SECONDS);
        }
        if (failure instanceof JournalUnavailableException) {
            return Problem.unavailable(
                    "journal_unavailable", "The journal cannot be read now; try again shortly.", RETRY_AFTER_SECONDS);
        }
        LOG.warn("A store that was needed for an answer failed", failure);
        return Problem.unavailable(
                "store_unavailable",
                "A store that is needed does not answer now; try again shortly.",
                RETRY_AFTER_SECONDS);
    }
}
