package tailrace.model;

/** Consecutive seqs of one execution, both ends included. */
public record SeqRange(String executionId, long firstSeq, long lastSeq) {}
