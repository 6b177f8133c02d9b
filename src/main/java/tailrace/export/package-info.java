/**
 * An execution's entries as a file: {@link tailrace.export.ExportDocument} makes its bytes piece by piece, one class a
 * format makes their text.
 */
@NullMarked
package tailrace.export;

import org.jspecify.annotations.NullMarked;
