package tailrace.security;

import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;

/**
 * Checks the signatures of tokens, and nothing else of them. Which algorithm counts is fixed by the configuration and the
 * keys, never by the token. Safe for any thread.
 */
public interface Signatures {
    /**
     * What the token says, its signature being right; never blocks.
     *
     * @throws InvalidTokenException if it is not; where {@link #refresh} might help, saying so by its type
     */
    JsonObject claims(String token) throws InvalidTokenException;

    /** Changes, as an object, whenever a token that was accepted might not be any more. */
    Object version();

    /**
     * Looks for keys that were not known so far, at a bounded rate; completes, on any thread, when {@link #claims} may be
     * asked again. Fails with {@link KeysUnavailableException} if no key is known at all.
     */
    Future<Void> refresh();

    /** Ends whatever runs in the background. */
    Future<Void> close();
}
