package tailrace.ingest;

import java.util.List;

/** Finds one sort of secret. Immutable. */
interface MaskRule {
    /** What a text must hold for the rule to be asked: lower case, at least {@link Triggers#MIN_CHARS} characters. */
    List<String> triggers();

    /**
     * Adds what is secret around a trigger. May cost time in proportion to what it adds, and a bounded time beyond that:
     * it is asked at every trigger of a text that somebody may have made for it.
     *
     * @param at where the trigger begins
     * @param length of the trigger
     */
    void find(String text, int at, int length, Spans into);
}
