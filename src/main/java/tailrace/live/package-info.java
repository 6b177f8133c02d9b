/**
 * Live streams: a subscription is a cursor into the store, never a queue.
 */
@NullMarked
package tailrace.live;

import org.jspecify.annotations.NullMarked;
