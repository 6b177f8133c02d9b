package tailrace.security;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What a token's {@code role} may be (SPEC 8); Supabase's names. */
public enum Role {
    /** Writes and reads all. */
    SERVICE_ROLE,
    /** Reads what its {@code sub} owns. */
    AUTHENTICATED;

    /** The name in the token. */
    public String wire() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The role of exactly that name, or null. */
    public static @Nullable Role parse(String wire) {
        for (Role role : values()) {
            if (role.wire().equals(wire)) {
                return role;
            }
        }
        return null;
    }
}
