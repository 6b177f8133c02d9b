package tailrace.http;

import java.util.Map;

/**
 * * An error as the client gets it (RFC 9457); {@code ProblemHandler} maps it to HTTP.
 */
public final class Problem extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int status;
    private final String code;
    private final transient Map<String, Object> members;
    private final int retryAfterSeconds;

    private Problem(int status, String code, String detail, Map<String, Object> members, int retryAfterSeconds) {
        super(detail, null, false, false);
        this.status = status;
        this.code = code;
        this.members = Map.copyOf(members);
        this.retryAfterSeconds = retryAfterSeconds;
    }

    /**
     * @param status of HTTP
     * @param code for programs
     * @param detail for people: what is wrong and what to do next
     */
    public static Problem of(int status, String code, String detail) {
        return new Problem(status, code, detail, Map.of(), 0);
    }

    /** A query parameter with a value it cannot have: 400 that names it. */
    public static Problem parameter(String name, String detail) {
        return new Problem(400, "invalid_parameter", name + ": " + detail, Map.of("parameter", name), 0);
    }

    /** Not there, or not theirs: readers cannot tell which. */
    public static Problem noExecution(String executionId) {
        return of(404, "execution_not_found", "There is no execution " + executionId + " that you may read.");
    }

    /** This client sends more than its share; nothing was taken. */
    public static Problem throttled(String detail, int retryAfterSeconds) {
        return new Problem(429, "sender_throttled", detail, Map.of(), retryAfterSeconds);
    }

    /** Nothing was taken; the client should come again. */
    public static Problem unavailable(String code, String detail, int retryAfterSeconds) {
        return new Problem(503, code, detail, Map.of(), retryAfterSeconds);
    }

    /** One client asks for more than its share. */
    public static Problem tooMany(String code, String detail, int retryAfterSeconds) {
        return new Problem(429, code, detail, Map.of(), retryAfterSeconds);
    }

    /** The same with a further member in the JSON. */
    public Problem with(String member, Object value) {
        var all = new java.util.HashMap<>(members);
        all.put(member, value);
        return new Problem(status, code, detail(), all, retryAfterSeconds);
    }

    public int status() {
        return status;
    }

    public String code() {
        return code;
    }

    public String detail() {
        String message = getMessage();
        return message == null ? "" : message;
    }

    /** Further members of the JSON. */
    public Map<String, Object> members() {
        return members;
    }

    /** Seconds for {@code Retry-After}, 0 for none. */
    public int retryAfterSeconds() {
        return retryAfterSeconds;
    }
}
