package tailrace.stats;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The most frequent errors, in bounded space (the Space-Saving algorithm): where all places are taken, a new kind of
 * error takes the place of the rarest and stands behind the count that it found there. So one that becomes frequent gets
 * in, however many rare ones came before. What is told of each is only what was really counted of it; all other errors
 * are in {@link #other}. Belongs to one thread.
 */
public final class TopErrors {
    /** A longer message is cut. */
    static final int MAX_MESSAGE_CHARS = 300;

    private final int places;
    private final Map<Kind, Seen> seen = new HashMap<>();
    private long other;

    /** Errors of one kind have the same message but for numbers and ids, and the same code. */
    public record Kind(String template, @Nullable String code) {}

    /**
     * One of them, the last that was seen, as an example.
     *
     * @param atMicros its time of receipt, epoch microseconds
     */
    public record Example(String message, String executionId, long seq, long atMicros) {
        /** Cuts the message. */
        public Example {
            if (message.length() > MAX_MESSAGE_CHARS) {
                boolean pair = Character.isHighSurrogate(message.charAt(MAX_MESSAGE_CHARS - 1));
                message = message.substring(0, pair ? MAX_MESSAGE_CHARS - 1 : MAX_MESSAGE_CHARS);
            }
        }
    }

    /** A kind, how often it was counted, and the last of it. */
    public record Top(Kind kind, long count, Example last) {}

    /** What a place holds; {@code rank} is what was found there and what came on top. */
    private static final class Seen {
        long rank;
        long count;
        Example last;

        Seen(long rank, long count, Example last) {
            this.rank = rank;
            this.count = count;
            this.last = last;
        }
    }

    /** @param places how many kinds are told apart at a time */
    public TopErrors(int places) {
        this.places = places;
    }

    /** Counts one. */
    void add(Kind kind, Example error) {
        add(kind, 1, 1, error);
    }

    /** @param rank at least {@code count} */
    void add(Kind kind, long rank, long count, Example last) {
        Seen known = seen.get(kind);
        if (known != null) {
            known.rank += rank;
            known.count += count;
            known.last = last.atMicros() >= known.last.atMicros() ? last : known.last;
            return;
        }
        long found = 0;
        if (seen.size() >= places) {
            Map.Entry<Kind, Seen> rarest = rarest();
            found = rarest.getValue().rank;
            other += rarest.getValue().count;
            seen.remove(rarest.getKey());
        }
        seen.put(kind, new Seen(found + rank, count, last));
    }

    private Map.Entry<Kind, Seen> rarest() {
        return seen.entrySet().stream()
                .min(Comparator.<Map.Entry<Kind, Seen>>comparingLong(each -> each.getValue().rank)
                        .thenComparingLong(each -> each.getValue().last.atMicros()))
                .orElseThrow();
    }

    /** Counts some of which no more is known. */
    void addOther(long count) {
        other += count;
    }

    /** Adds what another has. */
    void add(TopErrors more) {
        other += more.other;
        more.seen.forEach((kind, each) -> add(kind, each.rank, each.count, each.last));
    }

    /** The most frequent, first; of equally frequent ones the latest. */
    public List<Top> top(int max) {
        return seen.entrySet().stream()
                .map(each -> new Top(each.getKey(), each.getValue().count, each.getValue().last))
                .sorted(Comparator.comparingLong(Top::count)
                        .thenComparingLong(top -> top.last().atMicros())
                        .reversed())
                .limit(max)
                .toList();
    }

    /** Errors that are not among the kinds told apart. */
    public long other() {
        return other;
    }

    /** All errors that were counted. */
    public long count() {
        return other + seen.values().stream().mapToLong(each -> each.count).sum();
    }

    int size() {
        return seen.size();
    }

    /** A kind with its place, for the codec. */
    record Place(Kind kind, long rank, long count, Example last) {}

    List<Place> all() {
        var all = new ArrayList<Place>(seen.size());
        seen.forEach((kind, each) -> all.add(new Place(kind, each.rank, each.count, each.last)));
        return all;
    }
}
