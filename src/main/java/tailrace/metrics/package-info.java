/**
 * Every metric's name, in one place, on Micrometer.
 */
@NullMarked
package tailrace.metrics;

import org.jspecify.annotations.NullMarked;
