/**
 * Configuration as nested records, and the loader that checks every value and reports every problem at once.
 */
@NullMarked
package tailrace.config;

import org.jspecify.annotations.NullMarked;
