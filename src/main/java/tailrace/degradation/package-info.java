/**
 * How well the process can do its work now, in four levels (SPEC 9), and what is given up at the last of them.
 */
@NullMarked
package tailrace.degradation;

import org.jspecify.annotations.NullMarked;
