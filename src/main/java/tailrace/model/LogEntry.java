package tailrace.model;

import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One entry as every tier passes it on: its seq and the bytes made once at ingest by {@link EntryCodec}. The bytes begin
 * with a small header, so that filters and the writer's selection need no JSON parser, and go on with the JSON object
 * that readers get, all but its {@code seq}. Immutable: nobody writes into the array.
 */
public final class LogEntry {
    static final byte VERSION = 1;
    static final int FLAG_USER_FRIENDLY = 1;
    static final int FLAG_MILESTONE = 2;
    // Which members the JSON has, so that who looks for them need not look into it. Zero from earlier versions.
    static final int MEMBERS_TOLD = 1;
    static final int MEMBER_NODE = 2;
    static final int MEMBER_STEP = 4;
    // version, flags, level, event type, category, priority, status effect + 1, members; progress i16; two i64
    static final int HEADER_BYTES = 26;

    private static final byte[] SEQ_PREFIX = "{\"seq\":".getBytes(StandardCharsets.US_ASCII);
    private static final Level[] LEVELS = Level.values();
    private static final EventType[] EVENT_TYPES = EventType.values();
    private static final LogCategory[] CATEGORIES = LogCategory.values();
    private static final ExecutionStatus[] STATUSES = ExecutionStatus.values();

    private final long seq;
    private final byte[] encoded;

    /**
     * @param seq the entry's number, or 0 while it has none
     * @param encoded as {@link EntryCodec#encode} made it
     */
    public LogEntry(long seq, byte[] encoded) {
        if (encoded.length <= HEADER_BYTES || encoded[0] != VERSION) {
            throw new IllegalArgumentException("not an encoded entry (version "
                    + (encoded.length == 0 ? "none" : encoded[0]) + ", " + encoded.length + " bytes)");
        }
        this.seq = seq;
        this.encoded = Objects.requireNonNull(encoded);
    }

    public long seq() {
        return seq;
    }

    /** The bytes the journal stores; not to be changed. */
    public byte[] encoded() {
        return encoded;
    }

    public boolean userFriendly() {
        return (encoded[1] & FLAG_USER_FRIENDLY) != 0;
    }

    public boolean milestone() {
        return (encoded[1] & FLAG_MILESTONE) != 0;
    }

    public Level level() {
        return LEVELS[encoded[2]];
    }

    public EventType eventType() {
        return EVENT_TYPES[encoded[3]];
    }

    public LogCategory category() {
        return CATEGORIES[encoded[4]];
    }

    public int displayPriority() {
        return encoded[5];
    }

    /** The status this entry moves its execution to, or null. */
    public @Nullable ExecutionStatus statusEffect() {
        return encoded[6] == 0 ? null : STATUSES[encoded[6] - 1];
    }

    /** False only if it certainly names no {@code node_id}. */
    public boolean mayNameNode() {
        return mayHave(MEMBER_NODE);
    }

    /** False only if it certainly has neither {@code step_number} nor {@code total_steps}. */
    public boolean mayNameStep() {
        return mayHave(MEMBER_STEP);
    }

    private boolean mayHave(int member) {
        return (encoded[7] & (MEMBERS_TOLD | member)) != MEMBERS_TOLD;
    }

    /** Hundredths of a percent, or -1 where the entry has none. */
    public int progressHundredths() {
        return (short) ((encoded[8] & 0xff) << 8 | encoded[9] & 0xff);
    }

    /** Epoch microseconds at receipt. */
    public long receivedAtMicros() {
        return Bytes.getLong(encoded, 10);
    }

    /** Epoch microseconds at the sender. */
    public long timestampMicros() {
        return Bytes.getLong(encoded, 18);
    }

    /** Length in bytes of what {@link #json} returns, at most. */
    public int jsonLengthBound() {
        return SEQ_PREFIX.length + 20 + encoded.length - HEADER_BYTES;
    }

    /** The JSON object readers get, as UTF-8. */
    public byte[] json() {
        byte[] digits = Long.toString(seq).getBytes(StandardCharsets.US_ASCII);
        int body = encoded.length - HEADER_BYTES - 1;
        byte[] out = new byte[SEQ_PREFIX.length + digits.length + 1 + body];
        System.arraycopy(SEQ_PREFIX, 0, out, 0, SEQ_PREFIX.length);
        System.arraycopy(digits, 0, out, SEQ_PREFIX.length, digits.length);
        out[SEQ_PREFIX.length + digits.length] = ',';
        System.arraycopy(encoded, HEADER_BYTES + 1, out, SEQ_PREFIX.length + digits.length + 1, body);
        return out;
    }

    /** The same entry under the seq it was given. */
    public LogEntry withSeq(long given) {
        return new LogEntry(given, encoded);
    }

    /** Where {@link #tailLength()} bytes of JSON begin in {@link #encoded()}: all that follows the seq's comma. */
    public int tailOffset() {
        return HEADER_BYTES + 1;
    }

    /** See {@link #tailOffset()}. */
    public int tailLength() {
        return encoded.length - HEADER_BYTES - 1;
    }

    @Override
    public String toString() {
        return new String(json(), StandardCharsets.UTF_8);
    }
}
