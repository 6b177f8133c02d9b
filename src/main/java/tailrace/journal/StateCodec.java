package tailrace.journal;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;
import tailrace.model.Bytes;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionState.Counts;
import tailrace.model.ExecutionStatus;
import tailrace.model.IngestAnswer;
import tailrace.model.JournalRecord;
import tailrace.model.Rejection;
import tailrace.model.SeqRange;

/**
 * How the journal writes what is not an entry. Each form begins with its version. Version 1 of states and records, which
 * knows neither buckets nor bytes, is still read.
 */
final class StateCodec {
    private static final byte FIRST_VERSION = 1;
    private static final byte STATE_VERSION = 2;
    private static final byte RETIRED_VERSION = 3;
    private static final byte RECORD_VERSION = 2;
    private static final byte ANSWER_VERSION = 1;
    private static final byte SHED_VERSION = 1;
    private static final byte LISTED_VERSION = 1;

    private StateCodec() {}

    static byte[] encode(StoredState stored) {
        ExecutionState state = stored.state();
        if (state == null) {
            return write(16, out -> {
                out.writeByte(RETIRED_VERSION);
                out.writeLong(stored.highestSeq());
            });
        }
        return write(256, out -> {
            out.writeByte(STATE_VERSION);
            writeText(out, state.executionId());
            writeText(out, state.workflowId());
            writeText(out, state.userId());
            out.writeByte(state.status().ordinal());
            out.writeLong(state.hotFromSeq());
            out.writeLong(state.lastSeq());
            out.writeLong(state.totalLogs());
            writeCounts(out, state.levelCounts());
            writeCounts(out, state.eventCounts());
            out.writeLong(state.milestoneCount());
            out.writeShort(state.progressHundredths());
            out.writeLong(state.createdAtMicros());
            out.writeLong(state.startedAtMicros());
            out.writeLong(state.finishedAtMicros());
            out.writeLong(state.firstEntryAtMicros());
            out.writeLong(state.lastEntryAtMicros());
            out.writeLong(state.lastReceivedAtMicros());
            out.writeLong(state.lastPosition());
            out.writeInt(stored.bucket());
            out.writeLong(stored.changedAtMicros());
        });
    }

    static StoredState decodeStored(byte[] bytes) {
        return read(bytes, RETIRED_VERSION, (version, in) -> {
            if (version == RETIRED_VERSION) {
                return StoredState.retired(in.readLong());
            }
            ExecutionState state = readState(in);
            return version == FIRST_VERSION
                    ? StoredState.of(state, Keys.NO_BUCKET, 0)
                    : StoredState.of(state, in.readInt(), in.readLong());
        });
    }

    private static ExecutionState readState(DataInputStream in) throws IOException {
        String executionId = readRequiredText(in);
        return new ExecutionState(
                executionId,
                readText(in),
                readText(in),
                ExecutionStatus.values()[in.readByte()],
                in.readLong(),
                in.readLong(),
                in.readLong(),
                readCounts(in),
                readCounts(in),
                in.readLong(),
                in.readShort(),
                in.readLong(),
                in.readLong(),
                in.readLong(),
                in.readLong(),
                in.readLong(),
                in.readLong(),
                in.readLong());
    }

    static byte[] encode(JournalRecord record) {
        return write(64, out -> {
            out.writeByte(RECORD_VERSION);
            out.writeBoolean(record.urgent());
            out.writeLong(record.firstSeq());
            out.writeInt(record.count());
            out.writeInt(record.friendlyCount());
            writeText(out, record.executionId());
            out.writeLong(record.bytes());
            out.writeLong(record.totalBytes());
        });
    }

    static JournalRecord decodeRecord(long position, byte[] bytes) {
        return read(bytes, RECORD_VERSION, (version, in) -> {
            boolean urgent = in.readBoolean();
            long firstSeq = in.readLong();
            int count = in.readInt();
            int friendly = in.readInt();
            String executionId = readRequiredText(in);
            return version == FIRST_VERSION
                    ? new JournalRecord(position, executionId, firstSeq, count, friendly, urgent)
                    : new JournalRecord(
                            position, executionId, firstSeq, count, friendly, urgent, in.readLong(), in.readLong());
        });
    }

    /** What is remembered of a request under its idempotency key. */
    record StoredAnswer(byte[] fingerprint, long atMicros, IngestAnswer answer) {}

    static byte[] encode(StoredAnswer stored) {
        return write(256, out -> {
            out.writeByte(ANSWER_VERSION);
            out.writeByte(stored.fingerprint().length);
            out.write(stored.fingerprint());
            out.writeLong(stored.atMicros());
            IngestAnswer answer = stored.answer();
            out.writeInt(answer.accepted());
            out.writeInt(answer.duplicates());
            out.writeInt(answer.dropped());
            out.writeInt(answer.rejected().size());
            for (Rejection rejection : answer.rejected()) {
                out.writeInt(rejection.index());
                writeText(out, rejection.field());
                writeText(out, rejection.code());
                writeText(out, rejection.message());
            }
            out.writeInt(answer.executions().size());
            for (SeqRange range : answer.executions()) {
                writeText(out, range.executionId());
                out.writeLong(range.firstSeq());
                out.writeLong(range.lastSeq());
            }
        });
    }

    static StoredAnswer decodeAnswer(byte[] bytes) {
        return read(bytes, ANSWER_VERSION, (version, in) -> {
            byte[] fingerprint = in.readNBytes(in.readUnsignedByte());
            long atMicros = in.readLong();
            int accepted = in.readInt();
            int duplicates = in.readInt();
            int dropped = in.readInt();
            var rejected = new java.util.ArrayList<Rejection>();
            for (int left = in.readInt(); left > 0; left--) {
                rejected.add(
                        new Rejection(in.readInt(), readRequiredText(in), readRequiredText(in), readRequiredText(in)));
            }
            var executions = new java.util.ArrayList<SeqRange>();
            for (int left = in.readInt(); left > 0; left--) {
                executions.add(new SeqRange(readRequiredText(in), in.readLong(), in.readLong()));
            }
            return new StoredAnswer(
                    fingerprint, atMicros, new IngestAnswer(accepted, rejected, duplicates, dropped, executions));
        });
    }

    static byte[] encode(ShedCount shed) {
        return write(128, out -> {
            out.writeByte(SHED_VERSION);
            writeText(out, shed.executionId());
            writeText(out, shed.workflowId());
            writeText(out, shed.userId());
            out.writeLong(shed.count());
            out.writeLong(shed.fromMicros());
            out.writeLong(shed.toMicros());
            writeText(out, shed.reason());
            writeText(out, shed.strategy());
        });
    }

    static ShedCount decodeShed(byte[] bytes) {
        return read(
                bytes,
                SHED_VERSION,
                (version, in) -> new ShedCount(
                        readRequiredText(in),
                        readText(in),
                        readText(in),
                        in.readLong(),
                        in.readLong(),
                        in.readLong(),
                        readRequiredText(in),
                        readRequiredText(in)));
    }

    /** The beginning of a summary's value; its own length comes second. */
    static byte[] encode(SummaryStore.Listed listed) {
        byte[] bytes = write(64, out -> {
            out.writeByte(LISTED_VERSION);
            out.writeInt(0);
            out.writeLong(listed.createdAtMicros());
            writeText(out, listed.workflowId());
            writeText(out, listed.userId());
        });
        Bytes.putInt(bytes, 1, bytes.length);
        return bytes;
    }

    static SummaryStore.Listed decodeListed(byte[] bytes) {
        return read(bytes, LISTED_VERSION, (version, in) -> {
            in.readInt();
            return new SummaryStore.Listed(in.readLong(), readText(in), readText(in));
        });
    }

    /** How many bytes of a summary's value are not the summary. */
    static int listedBytes(byte[] bytes) {
        return read(bytes, LISTED_VERSION, (version, in) -> in.readInt());
    }

    private interface Writing {
        void to(DataOutputStream out) throws IOException;
    }

    private interface Reading<T> {
        T from(byte version, DataInputStream in) throws IOException;
    }

    private static byte[] write(int sizeHint, Writing writing) {
        var bytes = new ByteArrayOutputStream(sizeHint);
        try {
            writing.to(new DataOutputStream(bytes));
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
        return bytes.toByteArray();
    }

    private static <T> T read(byte[] bytes, byte newest, Reading<T> reading) {
        try (var in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            byte found = in.readByte();
            if (found < FIRST_VERSION || found > newest) {
                throw new IOException("version " + found + " where this program knows up to " + newest);
            }
            return reading.from(found, in);
        } catch (IOException | ArrayIndexOutOfBoundsException e) {
            throw new JournalDamagedException("A value in the journal cannot be read: " + e.getMessage(), e);
        }
    }

    private static void writeText(DataOutputStream out, @Nullable String text) throws IOException {
        if (text == null) {
            out.writeInt(-1);
        } else {
            byte[] utf8 = Keys.utf8(text);
            out.writeInt(utf8.length);
            out.write(utf8);
        }
    }

    private static @Nullable String readText(DataInputStream in) throws IOException {
        int length = in.readInt();
        return length < 0 ? null : new String(in.readNBytes(length), java.nio.charset.StandardCharsets.UTF_8);
    }

    private static String readRequiredText(DataInputStream in) throws IOException {
        String text = readText(in);
        if (text == null) {
            throw new IOException("a text is missing");
        }
        return text;
    }

    private static void writeCounts(DataOutputStream out, Counts counts) throws IOException {
        long[] values = counts.toArray();
        out.writeByte(values.length);
        for (long value : values) {
            out.writeLong(value);
        }
    }

    private static Counts readCounts(DataInputStream in) throws IOException {
        long[] values = new long[in.readByte()];
        for (int i = 0; i < values.length; i++) {
            values[i] = in.readLong();
        }
        return new Counts(values);
    }
}
