package tailrace.openapi;

import java.util.Set;

/**
 * Where the document is ahead of the server: what the specification has and this version does not answer yet. Tests fail
 * as soon as something in here is there, so that it is taken out.
 */
public final class Pending {
    /** Documented, and no routes; names of path parameters are left out. */
    public static final Set<String> ROUTES = Set.of(
            "GET /v2/executions/{}/logs/ws",
            "GET /api/v1/app/executions/{}/logs/ws",
            "GET /v2/logs/stream",
            "GET /v2/workflows/{}/logs",
            "GET /v2/workflows/{}/stats",
            "GET /v2/logs/search");

    /** Documented query parameters of history and streams that are refused. */
    public static final Set<String> PARAMETERS = Set.of("q", "node_id", "count", "around_seq", "before", "after");

    /** Documented codes of problems that no source makes. */
    public static final Set<String> CODES = Set.of("upgrade_required");

    private Pending() {}
}
