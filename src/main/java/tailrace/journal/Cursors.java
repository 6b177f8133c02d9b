package tailrace.journal;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/**
 * Who still reads the journal by position, and how far each is. What all of them have passed may be removed; what one
 * still needs never is. Safe for any thread.
 */
public final class Cursors {
    private final Map<String, LongSupplier> positions = new ConcurrentHashMap<>();

    /**
     * Adds a reader.
     *
     * @param name such as {@code postgres} or {@code redis}
     * @param position of the last record it is done with for good; 0 while it does not know. Must not block
     */
    public void add(String name, LongSupplier position) {
        positions.put(name, position);
    }

    /** Position of the last record that every reader is done with; 0 while there is no reader. */
    public long passed() {
        return positions.values().stream()
                .mapToLong(LongSupplier::getAsLong)
                .min()
                .orElse(0);
    }

    /** Each reader's position. */
    public Map<String, Long> positions() {
        Map<String, Long> now = new LinkedHashMap<>();
        positions.forEach((name, position) -> now.put(name, position.getAsLong()));
        return now;
    }
}
