/**
 * The command line: one class a command.
 */
@NullMarked
package tailrace.cli;

import org.jspecify.annotations.NullMarked;
