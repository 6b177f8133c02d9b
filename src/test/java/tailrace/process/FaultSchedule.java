package tailrace.process;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;

/**
 * Lets faults happen, one after the other and two of different targets at once, in an order and for times that a seed
 * decides. A deck holds each fault once, and as many pairs as there are pairs of targets; it is shuffled when it is
 * used up, so that none is left out for long. Everything that happens is in the transcript.
 */
final class FaultSchedule {
    private static final int MAX_PAUSE_MILLIS = 1_500;

    private final Random random;
    private final List<Fault> faults;
    private final int stretch;
    private final long startNanos = System.nanoTime();
    private final List<String> transcript = Collections.synchronizedList(new ArrayList<>());

    /** @param stretch makes each fault last so many times longer, at most */
    FaultSchedule(long seed, List<Fault> faults, int stretch) {
        this.random = new Random(seed);
        this.faults = List.copyOf(faults);
        this.stretch = stretch;
        note("seed " + seed);
    }

    /** Begins faults until the time is over or somebody has seen something wrong; all have ended when it returns. */
    void run(Duration time, BooleanSupplier trouble) throws Exception {
        long until = System.nanoTime() + time.toNanos();
        List<List<Fault>> deck = new ArrayList<>();
        while (System.nanoTime() < until && !trouble.getAsBoolean()) {
            if (deck.isEmpty()) {
                deck = deck();
            }
            happen(deck.remove(deck.size() - 1));
            AwaitCondition.elapse(Duration.ofMillis(random.nextInt(MAX_PAUSE_MILLIS)));
        }
        note("no more faults");
    }

    private List<List<Fault>> deck() {
        List<List<Fault>> deck = new ArrayList<>();
        faults.forEach(fault -> deck.add(List.of(fault)));
        List<String> targets = faults.stream().map(Fault::target).distinct().toList();
        for (int one = 0; one < targets.size(); one++) {
            for (int other = one + 1; other < targets.size(); other++) {
                deck.add(shuffled(List.of(any(targets.get(one)), any(targets.get(other)))));
            }
        }
        return shuffled(deck);
    }

    private Fault any(String target) {
        List<Fault> own =
                faults.stream().filter(fault -> fault.target().equals(target)).toList();
        return own.get(random.nextInt(own.size()));
    }

    private <T> List<T> shuffled(List<T> list) {
        List<T> shuffled = new ArrayList<>(list);
        Collections.shuffle(shuffled, random);
        return shuffled;
    }

    private Duration time(Fault fault) {
        int max = fault.minMillis() + (fault.maxMillis() - fault.minMillis()) * stretch;
        return Duration.ofMillis(fault.minMillis() + random.nextInt(max - fault.minMillis() + 1));
    }

    /** All begin, each after a part of the time of the one before; then they end in any order. */
    private void happen(List<Fault> together) throws Exception {
        List<Fault> begun = new ArrayList<>();
        Duration last = Duration.ZERO;
        try {
            for (Fault fault : together) {
                AwaitCondition.elapse(last.dividedBy(2));
                last = time(fault);
                begun.add(fault);
                step(fault + " for " + last.toMillis() + " ms", fault.begin());
            }
            AwaitCondition.elapse(last);
        } finally {
            for (Fault fault : shuffled(begun)) {
                step("end of " + fault, fault.end());
            }
        }
    }

    private void step(String what, Fault.Step step) throws Exception {
        note(what);
        try {
            step.run();
        } catch (Exception | AssertionError e) {
            note("failed: " + what + ": " + e);
            throw e;
        }
    }

    /** Adds a line to the transcript, with the time since the schedule was made. */
    void note(String what) {
        double seconds = (System.nanoTime() - startNanos) / 1e9;
        transcript.add(String.format("%8.3f s  %s", seconds, what));
    }

    String transcript() {
        synchronized (transcript) {
            return String.join("\n", transcript);
        }
    }
}
