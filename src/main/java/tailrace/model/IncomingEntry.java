package tailrace.model;

import java.util.UUID;

/**
 * An entry that came by itself and not within a request.
 *
 * @param id under which it is stored once, where it names no {@code id} of its own
 * @param givenMicros when it was handed over, epoch microseconds: its {@code timestamp} where it names none
 * @param json the entry as its sender wrote it, UTF-8
 */
public record IncomingEntry(UUID id, long givenMicros, byte[] json) {}
