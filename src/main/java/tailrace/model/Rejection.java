package tailrace.model;

/**
 * Why one entry of a batch was not taken (SPEC 5).
 *
 * @param index of the entry in the batch, from 0; the line's for NDJSON
 * @param field the offending field, "" where it is the entry as a whole
 * @param code for programs, e.g. {@code invalid_level}
 * @param message for people: what is wrong and what would be right
 */
public record Rejection(int index, String field, String code, String message) {}
