package tailrace.live;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import tailrace.metrics.Metrics;
import tailrace.security.Principal;

/**
 * Counts the open streams of the process, keeps them under their limit, and knows what the hubs hold for them. One for
 * all hubs; safe for any thread.
 */
public final class LiveStreams {
    /** Where nobody configured a limit. */
    private static final int NO_LIMIT = Integer.MAX_VALUE;

    private final int max;
    private final int maxPerPrincipal;
    private final Metrics metrics;
    private final Map<String, Integer> byPrincipal = new ConcurrentHashMap<>();
    private final AtomicInteger open = new AtomicInteger();
    private final AtomicInteger channels = new AtomicInteger();
    private final AtomicLong windowBytes = new AtomicLong();
    /** Of all services; leaving it changes nothing, since no name is empty. */
    private final Place uncounted = new Place("");

    public LiveStreams(int max, Metrics metrics) {
        this(max, NO_LIMIT, metrics);
    }

    /** @param maxPerPrincipal what one reader may have open; services may have all there are */
    public LiveStreams(int max, int maxPerPrincipal, Metrics metrics) {
        this.max = max;
        this.maxPerPrincipal = maxPerPrincipal;
        this.metrics = metrics;
        metrics.gauge("tailrace.live.streams", "Open live streams", open, AtomicInteger::get);
        metrics.gauge(
                "tailrace.live.channels",
                "Executions that are being watched, counted once for each event loop",
                channels,
                AtomicInteger::get);
        metrics.gauge(
                "tailrace.live.window.bytes",
                "Newest entries kept in memory for readers about to take them",
                windowBytes,
                AtomicLong::get);
    }

    /** One stream of a principal. To be left however the stream ends; more than once is as good as once. */
    public final class Place {
        private final String principal;
        private final AtomicBoolean left = new AtomicBoolean();

        private Place(String principal) {
            this.principal = principal;
        }

        public void leave() {
            if (left.compareAndSet(false, true)) {
                byPrincipal.computeIfPresent(principal, (name, open) -> open == 1 ? null : open - 1);
            }
        }
    }

    /**
     * Takes one of the places that a principal has, for one connection however many executions it shows; empty if there is
     * none left. A service is not counted: behind its one token may stand the readers of a whole application, and it is
     * trusted with more than streams.
     */
    public Optional<Place> admit(Principal principal) {
        if (principal.service()) {
            return Optional.of(uncounted);
        }
        String name = principal.sender();
        int open = byPrincipal.merge(name, 1, Integer::sum);
        Place place = new Place(name);
        if (open > maxPerPrincipal) {
            place.leave();
            metrics.streamRefused();
            return Optional.empty();
        }
        return Optional.of(place);
    }

    /** How many streams one principal may have. */
    public int maxPerPrincipal() {
        return maxPerPrincipal;
    }

    /** Principals with open streams. */
    public int principals() {
        return byPrincipal.size();
    }

    /** Takes a place; false if there is none. */
    boolean enter() {
        if (open.incrementAndGet() > max) {
            open.decrementAndGet();
            return false;
        }
        return true;
    }

    void leave() {
        open.decrementAndGet();
    }

    void channelOpened() {
        channels.incrementAndGet();
    }

    void channelClosed() {
        channels.decrementAndGet();
    }

    /** A channel's window has so many bytes more, or less. */
    void windowChanged(long bytes) {
        if (bytes != 0) {
            windowBytes.addAndGet(bytes);
        }
    }

    public int open() {
        return open.get();
    }
}
