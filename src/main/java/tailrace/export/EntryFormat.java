package tailrace.export;

import java.io.IOException;
import tailrace.model.LogEntry;
import tailrace.query.Coverage;

/** Writes entries in one format. Used by one thread at a time. */
interface EntryFormat {
    /** What stands before the first entry. */
    void begin() throws IOException;

    void entry(LogEntry entry) throws IOException;

    /** What stands behind the last entry; an answer that is not complete says so here, in every format. */
    void end(Coverage coverage) throws IOException;

    /** Hands on what it still holds. */
    void flush() throws IOException;
}
