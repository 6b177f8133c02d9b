package tailrace.model;

import java.util.UUID;

/** Names one journal for ever; PostgreSQL remembers it, so that a lost or foreign data directory is noticed. */
public record JournalId(UUID value) {
    @Override
    public String toString() {
        return value.toString();
    }
}
