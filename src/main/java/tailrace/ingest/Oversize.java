package tailrace.ingest;

import org.jspecify.annotations.Nullable;
import tailrace.model.EntryFields;

/** What {@code LOG_OVERSIZE=truncate} does to an entry over the limit: cuts what is long, and says so in the entry. */
final class Oversize {
    /** What stays of a cut text, in parts of the entry's limit; the rest is for the other fields. */
    private static final int MESSAGE_PART = 4;

    private static final int STACK_TRACE_PART = 8;
    private static final String MARK = "…";

    private Oversize() {}

    /**
     * @param bytes of JSON the sender sent
     * @param limit bytes of JSON an entry may have
     */
    static void cut(EntryFields fields, int bytes, int limit) {
        fields.truncated = true;
        fields.originalBytes = bytes;
        fields.stackTrace = cut(fields.stackTrace, limit / STACK_TRACE_PART);
        fields.message = String.valueOf(cut(fields.message, limit / MESSAGE_PART));
        fields.userFriendlyMessage = cut(fields.userFriendlyMessage, limit / MESSAGE_PART);
        int left = limit / MESSAGE_PART;
        // An object cannot be cut in the middle: it stays whole or goes.
        fields.data = keepUpTo(fields.data, left);
        fields.technicalDetails = keepUpTo(fields.technicalDetails, left / 2);
        fields.performanceMetrics = keepUpTo(fields.performanceMetrics, left / 2);
    }

    private static @Nullable String cut(@Nullable String text, int maxChars) {
        if (text == null || text.length() <= maxChars) {
            return text;
        }
        int end = Character.isHighSurrogate(text.charAt(maxChars - 1)) ? maxChars - 1 : maxChars;
        return text.substring(0, end) + MARK;
    }

    private static @Nullable String keepUpTo(@Nullable String object, int maxChars) {
        return object == null || object.length() <= maxChars ? object : null;
    }
}
