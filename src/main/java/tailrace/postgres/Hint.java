package tailrace.postgres;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the next notification of flushes will say: {@code execution:last_seq} pairs, comma between them, the execution
 * percent-encoded; or {@link #EVERYTHING} where they do not fit. Of one execution the highest seq counts. Bounded,
 * however much is added. Belongs to one thread.
 */
final class Hint {
    /** Look at all executions again. No pair looks like it: a pair has a colon. */
    static final String EVERYTHING = "*";

    /** PostgreSQL takes less than 8,000 bytes. */
    static final int PAYLOAD_MAX_BYTES = 7_999;

    /** No more pairs fit, of four characters each at least. */
    private static final int PAIRS_MAX = PAYLOAD_MAX_BYTES / 4;

    private final Map<String, Long> lastSeqs = new LinkedHashMap<>();
    private boolean everything;

    void add(String executionId, long lastSeq) {
        if (everything) {
            return;
        }
        lastSeqs.merge(executionId, lastSeq, Math::max);
        if (lastSeqs.size() > PAIRS_MAX) {
            addEverything();
        }
    }

    void addEverything() {
        everything = true;
        lastSeqs.clear();
    }

    boolean isEmpty() {
        return !everything && lastSeqs.isEmpty();
    }

    /** The payload; there is nothing to say after it. */
    String take() {
        String payload = everything ? EVERYTHING : pairs();
        lastSeqs.clear();
        everything = false;
        return payload;
    }

    private String pairs() {
        StringBuilder pairs = new StringBuilder();
        for (Map.Entry<String, Long> each : lastSeqs.entrySet()) {
            pairs.append(pairs.isEmpty() ? "" : ",")
                    .append(URLEncoder.encode(each.getKey(), StandardCharsets.UTF_8)
                            .replace("+", "%20"))
                    .append(':')
                    .append(each.getValue());
            if (pairs.length() > PAYLOAD_MAX_BYTES) {
                return EVERYTHING;
            }
        }
        return pairs.toString();
    }
}
