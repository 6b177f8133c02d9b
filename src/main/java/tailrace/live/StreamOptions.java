package tailrace.live;

import tailrace.model.LogFilter;
import tailrace.security.Principal;

/**
 * How a stream runs once it has begun.
 *
 * @param principal as whom what is missing is read; with their token the stream ends
 * @param filter which entries it shows; all of them move its cursor
 * @param follow whether it goes on after history
 */
public record StreamOptions(Principal principal, LogFilter filter, boolean follow) {
    /** Epoch seconds at which the reader's token ends. */
    long expiresAtSeconds() {
        return principal.expiresAtSeconds();
    }
}
