package tailrace.journal;

import org.jspecify.annotations.Nullable;

/** The journal's files do not hold what was written: a checksum fails or a value cannot be read. Nothing is taken. */
public final class JournalDamagedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public JournalDamagedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
