package tailrace.degradation;

import java.util.Optional;
import tailrace.bus.BusMessage.WriterState;

/**
 * What the level is computed from, read at one moment.
 *
 * @param writer how PostgreSQL and the writer stand
 * @param redisAvailable whether Redis answers; empty where none is configured
 * @param neededBytes of the journal that some cursor has not passed
 * @param queueBytes of entries that wait for their commit
 */
public record Sample(WriterState writer, Optional<Boolean> redisAvailable, long neededBytes, long queueBytes) {}
