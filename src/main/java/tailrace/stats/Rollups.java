package tailrace.stats;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import tailrace.model.EntryScan;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionStatus;
import tailrace.model.Level;
import tailrace.model.LogEntry;
import tailrace.model.MessageTemplate;

/**
 * The cells that are being counted into. Whoever folds entries turns to an execution, counts, and from time to time
 * keeps {@link #changed} together with the position it has reached: then nothing counts twice or is lost, whatever is
 * folded again after a crash. Time is the time of receipt, so that few cells are open at a time and a sender's wrong
 * clock opens none. An execution without a workflow is not counted. Belongs to one thread.
 */
public final class Rollups {
    /** Kinds of errors that a cell tells apart. */
    static final int MINUTE_ERROR_KINDS = 20;

    static final int ERROR_KINDS = 50;

    /** Errors of a workflow's owner that are looked at between two saves; the rest of a flood is counted, no more. */
    public static final int MAX_ERRORS = 300;

    /** The same for all workflows together. */
    static final int MAX_ALL_ERRORS = 3_000;

    /** A bucket is put away so long after its end. */
    private static final long LATE_MICROS = TimeUnit.MINUTES.toMicros(2);

    /** Heap of open cells; those that were quiet longest are put away, and begun anew when they are needed. */
    static final long MAX_OPEN_BYTES = 24L << 20;

    private static final Resolution[] RESOLUTIONS = Resolution.values();

    /** Least lately used first. */
    private final Map<Whose, Counted> open = new LinkedHashMap<>(16, 0.75f, true);

    private @Nullable Counted current;
    private @Nullable ExecutionState state;
    private long position;
    private long newestMicros = Long.MIN_VALUE;
    private int errorsLeft = MAX_ALL_ERRORS;
    private int changedCells;

    private record Whose(String workflowId, String owner) {}

    private record Bucket(Resolution resolution, long startMicros) {}

    /** A cell that changed; see {@link CellKey#encode} and {@link CellCodec#encode}. */
    public record Changed(byte[] key, byte[] json) {}

    private static final class OpenCell {
        final CellKey key;
        final Cell cell;
        boolean changed;

        OpenCell(CellKey key) {
            this.key = key;
            this.cell = new Cell(key.resolution() == Resolution.MINUTE ? MINUTE_ERROR_KINDS : ERROR_KINDS);
        }
    }

    /** One owner's executions of one workflow. */
    private static final class Counted {
        final Whose whose;
        final Map<Bucket, OpenCell> cells = new HashMap<>();
        /** Of each resolution the one that was counted into last; all of them hold {@code minute}. */
        final OpenCell[] now = new OpenCell[RESOLUTIONS.length];

        long minute = Long.MIN_VALUE;
        boolean changed;
        int errorsLeft = MAX_ERRORS;

        Counted(Whose whose) {
            this.whose = whose;
        }
    }

    /**
     * What is told next is of this execution.
     *
     * @param of as it was after this record, or later; null if nobody knows it any more
     * @param atPosition the record that is being folded; never lower than before, but after {@link #forget}
     * @return whether it is counted
     */
    public boolean turnTo(@Nullable ExecutionState of, long atPosition) {
        state = of;
        position = atPosition;
        String workflow = of == null ? null : of.workflowId();
        if (of == null || workflow == null) {
            current = null;
            return false;
        }
        String owner = of.userId();
        current = open.computeIfAbsent(new Whose(workflow, owner == null ? "" : owner), Counted::new);
        return true;
    }

    /** Whether the execution turned to has no entries before this one, counted or not. */
    public boolean beginsWith(LogEntry entry) {
        ExecutionState of = state;
        return of != null && of.totalLogs() <= of.lastSeq() - entry.seq() + 1;
    }

    /** Counts an entry. */
    public void entry(LogEntry entry) {
        int level = entry.level().ordinal();
        int type = entry.eventType().ordinal();
        for (OpenCell each : at(entry.receivedAtMicros())) {
            each.cell.levels[level]++;
            each.cell.events[type]++;
        }
    }

    /** Whether to tell an error's message, too. */
    public boolean wantsError(LogEntry entry) {
        if (entry.level().compareTo(Level.ERROR) < 0) {
            return false;
        }
        Counted of = current;
        if (of != null && of.errorsLeft > 0 && errorsLeft > 0) {
            of.errorsLeft--;
            errorsLeft--;
            return true;
        }
        otherError(entry);
        return false;
    }

    /** Counts an error of which no more is known. */
    public void otherError(LogEntry entry) {
        for (OpenCell each : at(entry.receivedAtMicros())) {
            each.cell.errors.addOther(1);
        }
    }

    /** What an error says, beside {@link #entry}; the message that people read, as everywhere. */
    public void error(LogEntry entry, EntryScan scan) {
        ExecutionState of = state;
        String text = scan.message();
        String message = text == null ? "" : text;
        var kind = new TopErrors.Kind(MessageTemplate.of(message), scan.errorCode());
        var example = new TopErrors.Example(
                message, of == null ? "" : of.executionId(), entry.seq(), entry.receivedAtMicros());
        for (OpenCell each : at(entry.receivedAtMicros())) {
            each.cell.errors.add(kind, example);
        }
    }

    /** Counts a run that began. */
    public void began(long atMicros) {
        for (OpenCell each : at(atMicros)) {
            each.cell.runs++;
        }
    }

    /**
     * Counts a run that ended.
     *
     * @param millis how long it took, negative if nobody knows
     */
    public void ended(ExecutionStatus how, long atMicros, long millis) {
        for (OpenCell each : at(atMicros)) {
            each.cell.end(how, millis);
        }
    }

    /** The cells of a time. */
    private OpenCell[] at(long micros) {
        Counted of = current;
        if (of == null) {
            throw new IllegalStateException("turned to nothing that is counted");
        }
        long minute = Resolution.MINUTE.start(micros);
        if (minute != of.minute) {
            for (Resolution resolution : RESOLUTIONS) {
                of.now[resolution.ordinal()] = of.cells.computeIfAbsent(
                        new Bucket(resolution, resolution.start(micros)),
                        bucket -> new OpenCell(new CellKey(
                                of.whose.workflowId(), of.whose.owner(), resolution, bucket.startMicros(), position)));
            }
            of.minute = minute;
            of.changed = false;
        }
        if (!of.changed) {
            of.changed = true;
            newestMicros = Math.max(newestMicros, micros);
            for (OpenCell each : of.now) {
                changedCells += each.changed ? 0 : 1;
                each.changed = true;
            }
        }
        return of.now;
    }

    /** Cells that changed since {@link #saved}. */
    public int changedCells() {
        return changedCells;
    }

    /** What is to be kept, together with the position of the last record folded. */
    public List<Changed> changed() {
        var all = new ArrayList<Changed>(changedCells);
        for (Counted of : open.values()) {
            for (OpenCell each : of.cells.values()) {
                if (each.changed) {
                    all.add(new Changed(each.key.encode(), CellCodec.encode(each.cell)));
                }
            }
        }
        return all;
    }

    /** {@link #changed} is kept. Puts away what is over, and what is too much. */
    public void saved() {
        long over = newestMicros == Long.MIN_VALUE ? Long.MIN_VALUE : newestMicros - LATE_MICROS;
        long bytes = 0;
        for (Iterator<Counted> all = open.values().iterator(); all.hasNext(); ) {
            Counted of = all.next();
            of.cells
                    .keySet()
                    .removeIf(
                            bucket -> bucket.startMicros() + bucket.resolution().micros() < over);
            // Looked for again: one of them may just have gone.
            of.minute = Long.MIN_VALUE;
            of.changed = false;
            of.errorsLeft = MAX_ERRORS;
            for (OpenCell each : of.cells.values()) {
                each.changed = false;
                bytes += each.cell.heapBytes();
            }
            if (of.cells.isEmpty()) {
                all.remove();
            }
        }
        for (Iterator<Counted> oldest = open.values().iterator(); bytes > MAX_OPEN_BYTES && oldest.hasNext(); ) {
            for (OpenCell each : oldest.next().cells.values()) {
                bytes -= each.cell.heapBytes();
            }
            oldest.remove();
        }
        current = null;
        newestMicros = Long.MIN_VALUE;
        errorsLeft = MAX_ALL_ERRORS;
        changedCells = 0;
    }

    /** What was not kept is counted again: begins anew, after the position that was kept last. */
    public void forget() {
        open.clear();
        saved();
    }
}
