package tailrace.live;

import tailrace.model.LogFilter;

/**
 * How a stream runs once it has begun.
 *
 * @param filter which entries it shows; all of them move its cursor
 * @param follow whether it goes on after history
 * @param expiresAtSeconds epoch seconds at which the reader's token ends, and the stream with it
 */
public record StreamOptions(LogFilter filter, boolean follow, long expiresAtSeconds) {}
