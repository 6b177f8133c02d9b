/**
 * Configuration as nested records, each checked where it is made, and the loader that reports every problem at once.
 */
@NullMarked
package tailrace.config;

import org.jspecify.annotations.NullMarked;
