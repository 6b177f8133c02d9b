package tailrace.redis;

import tailrace.model.JournalId;

/**
 * What Tailrace calls its keys. All of them carry the journal's id: another journal's entries, which may have the same
 * seqs, are never taken for ours; they expire. And several installations may share a Redis.
 */
record Keys(String cursor, String logPrefix) {
    /** Of the UUID's 32 digits; enough for it to be the only one. */
    private static final int ID_DIGITS = 16;

    static Keys of(JournalId journal) {
        String prefix =
                "tailrace:" + journal.value().toString().replace("-", "").substring(0, ID_DIGITS);
        return new Keys(prefix + ":cursor", prefix + ":log:");
    }

    /** The execution's stream; the id between braces decides alone which node of a cluster has it. */
    String log(String executionId) {
        return logPrefix + "{" + executionId + "}";
    }
}
