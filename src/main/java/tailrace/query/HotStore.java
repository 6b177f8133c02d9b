package tailrace.query;

import io.vertx.core.Future;
import java.util.List;
import java.util.Optional;
import tailrace.model.LogEntry;

/**
 * A hot tier beside the journal's own store. It may lack anything at any time: nothing is taken from it but seqs that
 * follow each other without a hole. Used on one event loop; blocks nothing.
 */
public interface HotStore {
    /** None is configured. */
    HotStore NONE = new HotStore() {
        @Override
        public boolean usable() {
            return false;
        }

        @Override
        public long position() {
            return 0;
        }

        @Override
        public Future<List<LogEntry>> entries(
                String executionId, long fromSeq, long toSeq, boolean ascending, int maxEntries) {
            return Future.succeededFuture(List.of());
        }

        @Override
        public Future<Optional<Span>> span(String executionId) {
            return Future.succeededFuture(Optional.empty());
        }

        @Override
        public void counted(boolean answered) {}
    };

    /** Whether it is worth asking. Cheap. */
    boolean usable();

    /** The journal position up to which it has been given everything. */
    long position();

    /**
     * What it holds between two seqs (both included), in the order of reading; there may be holes. Fails soon where it
     * does not answer.
     */
    Future<List<LogEntry>> entries(String executionId, long fromSeq, long toSeq, boolean ascending, int maxEntries);

    /** How far it reaches for an execution. */
    Future<Optional<Span>> span(String executionId);

    /** Told whether it had what it was asked for, or another store had to answer. */
    void counted(boolean answered);

    /** @param length how many entries; less than the seqs between first and last if there are holes */
    record Span(long firstSeq, long lastSeq, long length) {
        boolean whole() {
            return lastSeq - firstSeq + 1 == length;
        }
    }
}
