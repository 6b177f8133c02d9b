package tailrace.ingest;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.TimeMeter;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import tailrace.config.TailraceConfig.IngestRate;

/**
 * What each sender may send in the long run, where the configuration says so. A bucket that is not empty pays for any
 * batch and goes into debt for what it lacks, and a sender in debt waits: so a batch larger than the burst is taken at
 * some time instead of never, and the average holds all the same. One for the process; safe for any thread.
 */
public final class SenderRates {
    /** Senders known at once. Beyond it those not seen for longest begin anew; names come from tokens we verified. */
    static final int MAX_SENDERS = 10_000;

    private final IngestRate rate;
    private final LongSupplier nanoTime;
    private final Cache<String, Buckets> senders =
            Caffeine.newBuilder().maximumSize(MAX_SENDERS).build();

    /** @param nanoTime as {@link System#nanoTime}, which only goes forward */
    public SenderRates(IngestRate rate, LongSupplier nanoTime) {
        this.rate = rate;
        this.nanoTime = nanoTime;
    }

    /** Empty where there is no such limit. */
    private record Buckets(Optional<Bucket> entries, Optional<Bucket> bytes) {
        long nanosToWait() {
            return Math.max(nanosToWait(entries), nanosToWait(bytes));
        }

        private static long nanosToWait(Optional<Bucket> bucket) {
            return bucket.map(each -> each.estimateAbilityToConsume(1).getNanosToWaitForRefill())
                    .orElse(0L);
        }
    }

    private boolean limited() {
        return rate.entries().isPresent() || rate.bytes().isPresent();
    }

    /** For how many seconds a sender is turned away before its request is read; empty if it may come in. */
    public OptionalInt refusal(String sender) {
        Buckets buckets = limited() ? senders.getIfPresent(sender) : null;
        if (buckets == null) {
            return OptionalInt.empty();
        }
        return seconds(buckets.nanosToWait());
    }

    /**
     * Takes what a batch costs, or nothing.
     *
     * @return seconds after which it may come again; empty if it was taken
     */
    public OptionalInt take(String sender, long entries, long bytes) {
        if (!limited()) {
            return OptionalInt.empty();
        }
        Buckets buckets = senders.get(sender, name -> new Buckets(bucket(rate.entries()), bucket(rate.bytes())));
        OptionalInt refused = seconds(buckets.nanosToWait());
        if (refused.isEmpty()) {
            // Of requests that come in the same instant each may pass; all of them are paid for before the next.
            buckets.entries.ifPresent(bucket -> bucket.consumeIgnoringRateLimits(Math.max(1, entries)));
            buckets.bytes.ifPresent(bucket -> bucket.consumeIgnoringRateLimits(Math.max(1, bytes)));
        }
        return refused;
    }

    /** Senders it remembers, about. */
    long size() {
        senders.cleanUp();
        return senders.estimatedSize();
    }

    private static OptionalInt seconds(long nanos) {
        long seconds = (nanos + TimeUnit.SECONDS.toNanos(1) - 1) / TimeUnit.SECONDS.toNanos(1);
        return nanos == 0 ? OptionalInt.empty() : OptionalInt.of((int) Math.min(Integer.MAX_VALUE, seconds));
    }

    private Optional<Bucket> bucket(OptionalLong perSecond) {
        if (perSecond.isEmpty()) {
            return Optional.empty();
        }
        long second = perSecond.getAsLong();
        long burst = Math.max(1, (long) ((double) second * rate.burst().toMillis() / 1_000));
        return Optional.of(Bucket.builder()
                .withCustomTimePrecision(new Meter(nanoTime))
                .addLimit(limit -> limit.capacity(burst).refillGreedy(second, Duration.ofSeconds(1)))
                .build());
    }

    private record Meter(LongSupplier nanoTime) implements TimeMeter {
        @Override
        public long currentTimeNanos() {
            return nanoTime.getAsLong();
        }

        @Override
        public boolean isWallClockBased() {
            return false;
        }
    }
}
