/**
 * What verticles tell each other: every event-bus address, every message, and the one codec that passes them by reference.
 */
@NullMarked
package tailrace.bus;

import org.jspecify.annotations.NullMarked;
