package tailrace.postgres;

import io.vertx.core.Future;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tailrace.model.IncomingEntry;
import tailrace.model.IngestAnswer;
import tailrace.model.Rejection;

/**
 * A journal that remembers what it was given by id, refuses entries that say {@code bad}, and fails when told to. Rows
 * of tests are JSON strings; what matters here is which row it is.
 */
public final class FakeIntake implements Inbox.Intake {
    private final Map<UUID, String> stored = new LinkedHashMap<>();
    private final List<Integer> batches = new ArrayList<>();
    private int repeated;

    /** What the next calls fail with, until it is null again. */
    public volatile @Nullable Throwable failure;
    /** A call with an entry that says this fails with {@link IllegalStateException}. */
    public volatile String defect = "(none)";

    @Override
    public synchronized Future<IngestAnswer> take(List<IncomingEntry> entries) {
        batches.add(entries.size());
        Throwable now = failure;
        if (now != null) {
            return Future.failedFuture(now);
        }
        if (entries.stream().anyMatch(entry -> text(entry).contains(defect))) {
            return Future.failedFuture(new IllegalStateException("a defect"));
        }
        List<Rejection> rejected = new ArrayList<>();
        for (int i = 0; i < entries.size(); i++) {
            String text = text(entries.get(i));
            if (text.contains("bad")) {
                rejected.add(new Rejection(i, "level", "invalid_level", "level is bad\0."));
            } else if (stored.putIfAbsent(entries.get(i).id(), text) != null) {
                repeated++;
            }
        }
        return Future.succeededFuture(new IngestAnswer(entries.size() - rejected.size(), rejected, 0, 0, List.of()));
    }

    private static String text(IncomingEntry entry) {
        return new String(entry.json(), StandardCharsets.UTF_8).replace("\"", "");
    }

    /** What was stored, in order. */
    public synchronized List<String> stored() {
        return List.copyOf(stored.values());
    }

    /** How many came again that were stored before. */
    public synchronized int repeated() {
        return repeated;
    }

    /** How many entries each call had. */
    public synchronized List<Integer> batches() {
        return List.copyOf(batches);
    }
}
