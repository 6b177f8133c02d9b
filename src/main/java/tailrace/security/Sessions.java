package tailrace.security;

import java.time.Clock;
import java.util.Optional;

/**
 * What stands for a token where a browser must not show the token itself: sessions, which a cookie carries, and tickets,
 * each of which opens one stream and becomes a session. Both are random texts that mean something to this process only;
 * they lie in memory, so a restart ends them, and they never outlive the token they were made from. Safe for any thread.
 */
public final class Sessions {
    /** From the page's request to the stream's. */
    public static final int TICKET_SECONDS = 60;

    /** Of this process; some hundred bytes each. */
    static final int MAX_SESSIONS = 10_000;
    /** Of one principal: browsers and profiles. One more ends the oldest. */
    static final int MAX_SESSIONS_EACH = 100;

    static final int MAX_TICKETS = 10_000;
    /** Of one principal within a minute: streams that a page opens. */
    static final int MAX_TICKETS_EACH = 100;

    private final Clock clock;
    private final Grants sessions = new Grants(MAX_SESSIONS, MAX_SESSIONS_EACH);
    private final Grants tickets = new Grants(MAX_TICKETS, MAX_TICKETS_EACH);

    public Sessions(Clock clock) {
        this.clock = clock;
    }

    /** A new session that ends with the token; empty if there are too many on this process. */
    public Optional<String> open(Principal principal) {
        return sessions.give(principal, principal.expiresAtSeconds(), now());
    }

    /** Whose session that is, if it is one. */
    public Optional<Principal> find(String session) {
        return sessions.find(session, now());
    }

    public void end(String session) {
        sessions.take(session, now());
    }

    /** Seconds until a session opened for it ends. */
    public long secondsLeft(Principal principal) {
        return Math.max(0, principal.expiresAtSeconds() - now());
    }

    /** Whether the principal has as many tickets unused as one may have. */
    public boolean tooManyTickets(Principal principal) {
        return tickets.full(principal, now());
    }

    /** A new ticket; empty if there are too many on this process. */
    public Optional<String> ticket(Principal principal) {
        long now = now();
        return tickets.give(principal, Math.min(now + TICKET_SECONDS, principal.expiresAtSeconds()), now);
    }

    /** Whose ticket that was; it is none any more. */
    public Optional<Principal> redeem(String ticket) {
        return tickets.take(ticket, now());
    }

    private long now() {
        return clock.instant().getEpochSecond();
    }
}
