package tailrace.stats;

import java.nio.charset.StandardCharsets;
import tailrace.model.Bytes;

/**
 * What a cell counts.
 *
 * @param owner of the executions counted, "" for those that name none
 * @param startMicros epoch microseconds
 * @param part position of the journal record with which the cell began. A bucket may have several: what is counted after
 *     the first was put away, or forgotten by a restart, begins another, and readers add them up. So none ever has to be
 *     read back to be gone on with
 */
public record CellKey(String workflowId, String owner, Resolution resolution, long startMicros, long part) {
    private static final Resolution[] RESOLUTIONS = Resolution.values();
    private static final int FIXED_BYTES = 1 + 2 * Long.BYTES + 2;

    /** The same in bytes. */
    public byte[] encode() {
        byte[] workflow = workflowId.getBytes(StandardCharsets.UTF_8);
        byte[] whose = owner.getBytes(StandardCharsets.UTF_8);
        byte[] bytes = new byte[FIXED_BYTES + workflow.length + whose.length];
        bytes[0] = (byte) resolution.ordinal();
        Bytes.putLong(bytes, 1, startMicros);
        Bytes.putLong(bytes, 1 + Long.BYTES, part);
        bytes[FIXED_BYTES - 2] = (byte) (workflow.length >> 8);
        bytes[FIXED_BYTES - 1] = (byte) workflow.length;
        System.arraycopy(workflow, 0, bytes, FIXED_BYTES, workflow.length);
        System.arraycopy(whose, 0, bytes, FIXED_BYTES + workflow.length, whose.length);
        return bytes;
    }

    /** @throws RuntimeException if it is not what {@link #encode} made */
    public static CellKey decode(byte[] bytes) {
        int workflowBytes = (bytes[FIXED_BYTES - 2] & 0xff) << 8 | bytes[FIXED_BYTES - 1] & 0xff;
        int ownerFrom = FIXED_BYTES + workflowBytes;
        return new CellKey(
                new String(bytes, FIXED_BYTES, workflowBytes, StandardCharsets.UTF_8),
                new String(bytes, ownerFrom, bytes.length - ownerFrom, StandardCharsets.UTF_8),
                RESOLUTIONS[bytes[0]],
                Bytes.getLong(bytes, 1),
                Bytes.getLong(bytes, 1 + Long.BYTES));
    }
}
