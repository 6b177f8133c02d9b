package tailrace.process;

import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/**
 * Something that goes wrong and gets well again.
 *
 * @param target what suffers it; a target suffers one at a time
 * @param name what it is, for the transcript
 * @param end may be called after a {@code begin} that failed
 * @param minMillis how long it lasts, at least
 * @param maxMillis how long it lasts, at most
 */
record Fault(String target, String name, Step begin, Step end, int minMillis, int maxMillis) {
    /** One that no heartbeat of three seconds misses. */
    private static final int NOTICED_MILLIS = 6_000;

    private static final int SLOW_LATENCY_MILLIS = 40;
    private static final int SLOW_BYTES_A_SECOND = 200_000;
    private static final int BREAK_BYTES = 60_000;

    /** Blocks until it is done. */
    @FunctionalInterface
    interface Step {
        void run() throws Exception;
    }

    /** Everything that can happen to a server behind a network. */
    static List<Fault> of(Store store, DatabaseLink link, Random random) {
        String target = store.name();
        Step restart = () -> {
            store.start();
            link.target(store.port());
        };
        return Stream.concat(
                        Stream.of(
                                new Fault(target, "frozen", store::freeze, store::thaw, NOTICED_MILLIS, 9_000),
                                new Fault(target, "stopped", store::stop, restart, 500, 4_000),
                                new Fault(target, "killed", store::kill, restart, 0, 3_000),
                                new Fault(target, "cut", link::cut, link::mend, 200, 4_000),
                                new Fault(
                                        target,
                                        "slowed",
                                        () -> link.slow(SLOW_LATENCY_MILLIS, SLOW_BYTES_A_SECOND),
                                        link::mend,
                                        2_000,
                                        5_000),
                                new Fault(
                                        target,
                                        "broken within messages",
                                        () -> link.breakWithin(2_000 + random.nextInt(BREAK_BYTES)),
                                        link::mend,
                                        2_000,
                                        4_000)),
                        store.ownFaults(restart).stream())
                .toList();
    }

    @Override
    public String toString() {
        return target + " " + name;
    }
}
