package tailrace.model;

import java.util.Arrays;

/**
 * Looks for a piece of ASCII in bytes, whatever its case, by Horspool's rule: a byte that is nowhere in the needle lets
 * it jump its whole length. Tells from an entry's bytes alone that a word cannot be in it, which is true of most.
 * Immutable.
 */
final class Needle {
    private final byte[] folded;
    private final byte[] skip = new byte[256];

    /** @param text folded; letters, digits and signs of ASCII that JSON writes as they are */
    Needle(String text) {
        int length = Math.min(text.length(), Byte.MAX_VALUE); // of a longer one its beginning is enough
        folded = new byte[length];
        for (int i = 0; i < length; i++) {
            folded[i] = (byte) text.charAt(i);
        }
        Arrays.fill(skip, (byte) length);
        for (int i = 0; i < length - 1; i++) {
            byte step = (byte) (length - 1 - i);
            skip[folded[i]] = step;
            if (folded[i] >= 'a' && folded[i] <= 'z') {
                skip[folded[i] - ('a' - 'A')] = step;
            }
        }
    }

    /** Whether it stands anywhere from an index on. */
    boolean in(byte[] bytes, int from) {
        int last = folded.length - 1;
        int at = from + last;
        while (at < bytes.length) {
            int i = last;
            int b = at;
            while (i >= 0 && lower(bytes[b]) == folded[i]) {
                i--;
                b--;
            }
            if (i < 0) {
                return true;
            }
            at += skip[bytes[at] & 0xff];
        }
        return false;
    }

    static int lower(byte b) {
        return b >= 'A' && b <= 'Z' ? b + ('a' - 'A') : b;
    }

    /** The longest run of a folded text that JSON writes as it is and whose letters are ASCII's; may be empty. */
    static String longestPlain(String folded) {
        String best = "";
        int begin = 0;
        for (int i = 0; i <= folded.length(); i++) {
            if (i == folded.length() || !plain(folded.charAt(i))) {
                if (i - begin > best.length()) {
                    best = folded.substring(begin, i);
                }
                begin = i + 1;
            }
        }
        return best;
    }

    private static boolean plain(char c) {
        return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
    }
}
