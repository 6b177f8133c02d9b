package tailrace.model;

/**
 * Which trigrams stand in the bytes of some entries, whatever their case: a Bloom filter of one hash. It says for sure
 * that a word is in none of them, or that it may be. Filled by one thread; afterwards for any.
 */
public final class TrigramFilter {
    private static final int BITS_LOG2 = 13;
    /** Heap that one takes, in bytes. */
    public static final int HEAP_BYTES = (1 << BITS_LOG2) / 8 + 32;

    private static final int LENGTH = 3;
    private static final int MASK = (1 << 8 * LENGTH) - 1;
    private static final int MIX = 0x9E3779B1; // 2^32 divided by the golden ratio

    private final long[] bits = new long[1 << BITS_LOG2 - 6];

    /** Takes in what an entry's texts may have, and the names and numbers beside them. */
    public void add(LogEntry entry) {
        byte[] bytes = entry.encoded();
        int trigram = 0;
        int at = entry.tailOffset();
        for (int first = at + LENGTH - 1; at < bytes.length; at++) {
            trigram = (trigram << 8 | Needle.lower(bytes[at]) & 0xff) & MASK;
            if (at >= first) {
                int slot = slot(trigram);
                bits[slot >>> 6] |= 1L << slot;
            }
        }
    }

    /** False only if none of the entries has all of them; see {@link TextQuery#trigrams}. */
    public boolean mayHold(int[] slots) {
        for (int slot : slots) {
            if ((bits[slot >>> 6] & 1L << slot) == 0) {
                return false;
            }
        }
        return true;
    }

    /** Where the trigrams of folded ASCII are looked up; none of a shorter text. */
    static int[] slots(String folded) {
        int[] slots = new int[Math.max(0, folded.length() - LENGTH + 1)];
        for (int i = 0; i < slots.length; i++) {
            slots[i] = slot(folded.charAt(i) << 16 | folded.charAt(i + 1) << 8 | folded.charAt(i + 2));
        }
        return slots;
    }

    private static int slot(int trigram) {
        return trigram * MIX >>> 32 - BITS_LOG2;
    }
}
