package tailrace.cli;

import java.util.ArrayList;
import java.util.List;

/**
 * What the server acknowledged in a run: every batch with the seqs it was given, so that afterwards each entry can be
 * asked for by its seq and known by its number. Safe for all sender threads; 30 bytes a batch.
 */
final class AckLedger {
    /** More are counted but not remembered one by one; 120 MB. */
    static final int MAX_BATCHES = 4_000_000;

    private final String[] executions;
    private final long[] acknowledged;
    private final long[] lastSeq;
    private final int[] unknown;
    private final List<Ack> acks = new ArrayList<>();

    /**
     * One acknowledged batch.
     *
     * @param execution its index
     * @param firstEntry number in the run of the entry that has {@code firstSeq}
     */
    record Ack(int execution, long firstSeq, long firstEntry, int count) {}

    /** @param executions the ids, by index */
    AckLedger(List<String> executions) {
        this.executions = executions.toArray(String[]::new);
        this.acknowledged = new long[this.executions.length];
        this.lastSeq = new long[this.executions.length];
        this.unknown = new int[this.executions.length];
    }

    int executions() {
        return executions.length;
    }

    String id(int execution) {
        return executions[execution];
    }

    synchronized void acknowledged(Ack ack) {
        acknowledged[ack.execution()] += ack.count();
        lastSeq[ack.execution()] = Math.max(lastSeq[ack.execution()], ack.firstSeq() + ack.count() - 1);
        if (acks.size() < MAX_BATCHES) {
            acks.add(ack);
        }
    }

    /** A batch without an answer: the execution may hold more than was acknowledged. */
    synchronized void unknown(int execution) {
        unknown[execution]++;
    }

    synchronized long acknowledged(int execution) {
        return acknowledged[execution];
    }

    synchronized long lastSeq(int execution) {
        return lastSeq[execution];
    }

    /** Whether exactly the acknowledged entries must be there, no more. */
    synchronized boolean exact(int execution) {
        return unknown[execution] == 0;
    }

    synchronized long total() {
        long total = 0;
        for (long count : acknowledged) {
            total += count;
        }
        return total;
    }

    /** All that are remembered, in order of their answers. */
    synchronized List<Ack> acks() {
        return List.copyOf(acks);
    }
}
