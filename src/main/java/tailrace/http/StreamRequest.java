package tailrace.http;

import io.vertx.ext.web.RoutingContext;
import java.util.Optional;
import java.util.OptionalLong;
import tailrace.live.LiveStreams;
import tailrace.live.StreamOptions;
import tailrace.security.Principal;

/**
 * What a request for a stream says, checked: what those of one execution and of many have in common.
 *
 * @param lastEventId as it came; the header wins
 * @param waitSeconds for an execution that is not there yet
 */
record StreamRequest(
        Principal principal,
        StreamOptions options,
        Optional<LastEventId> lastEventId,
        OptionalLong tail,
        long afterSeq,
        long waitSeconds) {
    static final int RETRY_AFTER_SECONDS = 5;

    private static final int MAX_WAIT_SECONDS = 300;
    private static final int MAX_TAIL = 10_000;

    /** @param source where it stood, for whoever has to be told that it is wrong */
    record LastEventId(String source, String text) {}

    static StreamRequest parse(RoutingContext ctx, ReadParameters parameters) {
        Principal principal = Reading.principal(ctx);
        String header = ctx.request().getHeader("Last-Event-ID");
        Optional<LastEventId> lastEventId = header != null && !header.isBlank()
                ? Optional.of(new LastEventId("Last-Event-ID", header.strip()))
                : parameters.text("last_event_id").map(text -> new LastEventId("last_event_id", text.strip()));
        return new StreamRequest(
                principal,
                new StreamOptions(
                        principal,
                        parameters.filter(),
                        parameters.flag("follow").orElse(true)),
                lastEventId,
                parameters.number("tail", 0, MAX_TAIL),
                parameters.afterSeq(),
                parameters.number("wait", 0, MAX_WAIT_SECONDS).orElse(0));
    }

    /** One of the places that whoever asks has, for this one connection; empty if all are taken. */
    Optional<LiveStreams.Place> place(LiveStreams streams) {
        return streams.admit(principal);
    }

    /** What a client is told who has taken all places it has. */
    static Problem tooMany(LiveStreams streams) {
        return Problem.tooMany(
                "too_many_streams",
                "You have " + streams.maxPerPrincipal() + " live streams open, which is as many as you may have."
                        + " Close one, or watch many executions over one connection.",
                RETRY_AFTER_SECONDS);
    }

    /** What a client is told for whom there is no place. */
    static Problem noPlace() {
        return Problem.unavailable(
                "too_many_streams", "This server has as many live streams as it may have.", RETRY_AFTER_SECONDS);
    }

    /**
     * Where a stream begins if no tail was asked for. An id above the last seq cannot be ours: it is answered with
     * everything, since claiming that nothing is missing would lose what is.
     */
    static long startSeq(long lastId, long lastSeq, long afterSeq) {
        return Math.max(afterSeq, lastId > lastSeq ? 0 : lastId);
    }
}
