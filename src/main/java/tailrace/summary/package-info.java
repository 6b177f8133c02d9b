/**
 * What an execution's entries come to: its steps, milestones, last error. A cursor over the journal folds every entry into
 * them ({@link tailrace.summary.Summarizer}); readers get what it has, with the journal's end folded on top ({@link
 * tailrace.summary.Summaries}).
 */
@NullMarked
package tailrace.summary;

import org.jspecify.annotations.NullMarked;
