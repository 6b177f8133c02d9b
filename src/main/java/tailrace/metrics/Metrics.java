package tailrace.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** What Tailrace counts of itself. Safe for any thread; times are recorded in nanoseconds and exported in seconds. */
public final class Metrics {
    /** Workflows with a label of their own among the entries shed. */
    private static final int MAX_SHED_WORKFLOWS = 100;

    private final MeterRegistry registry;
    private final Counter entriesAccepted;
    private final Counter entriesDuplicate;
    private final Timer journalCommit;
    private final DistributionSummary journalCommitEntries;
    private final DistributionSummary journalCommitBytes;
    private final Counter journalFailures;
    private final Timer flush;
    private final DistributionSummary flushRows;
    private final Counter flushFailures;
    private final Counter rowsRefused;
    private final Timer deliveryDelay;
    private final Counter deliveries;
    private final Counter slowReaders;
    private final Counter jwksFailures;
    private final Counter throttled;
    private final Counter rateLimited;
    private final Counter connectionsRefused;
    private final Counter requestTimeouts;
    private final Counter unreadAnswers;
    private final Counter streamsRefused;
    private final Counter certificateLoads;
    private final Counter certificateFailures;
    private final Counter unreadable;
    private final Counter summariesWritten;
    private final Counter statsWritten;
    private final Set<String> shedWorkflows = ConcurrentHashMap.newKeySet();

    public Metrics(MeterRegistry registry) {
        this.registry = registry;
        entriesAccepted = counter("tailrace.entries.accepted", "Entries durable in the journal");
        entriesDuplicate = counter("tailrace.entries.duplicate", "Entries that were there already by their id");
        journalCommit = timer("tailrace.journal.commit", "A group commit, fsync included");
        journalCommitEntries = summary("tailrace.journal.commit.entries", "Entries of a group commit");
        journalCommitBytes = summary("tailrace.journal.commit.bytes", "Bytes of a group commit");
        journalFailures = counter("tailrace.journal.failures", "Group commits that failed");
        flush = timer("tailrace.writer.flush", "A transaction of the batch writer");
        flushRows = summary("tailrace.writer.flush.rows", "Rows of a transaction");
        flushFailures = counter("tailrace.writer.flush.failures", "Transactions that failed and were tried again");
        rowsRefused = counter("tailrace.writer.rows.refused", "Rows PostgreSQL refused, set aside in log_rejects");
        deliveryDelay = timer("tailrace.live.delivery.delay", "From receipt to the socket of a live reader");
        deliveries = counter("tailrace.live.deliveries", "Entries written to live readers");
        slowReaders = counter("tailrace.live.readers.closed.stuck", "Readers closed because their socket took nothing");
        jwksFailures = counter("tailrace.jwks.fetch.failures", "Times the keys of the tokens' issuer could not be had");
        unreadable = counter("tailrace.summaries.entries.unreadable", "Entries whose bytes summaries cannot make out");
        summariesWritten = counter("tailrace.summaries.written", "Summaries written to PostgreSQL");
        statsWritten = counter("tailrace.stats.cells.written", "Cells of workflows' statistics written to PostgreSQL");
        throttled = counter("tailrace.ingest.throttled", "Requests turned away because their sender sends most");
        rateLimited = counter("tailrace.ingest.rate.limited", "Requests turned away because of INGEST_RATE_…");
        connectionsRefused = counter("tailrace.http.connections.refused", "Connections beyond MAX_CONNECTIONS, closed");
        requestTimeouts = counter("tailrace.http.requests.timeout", "Requests that did not arrive in time, ended");
        unreadAnswers = counter("tailrace.http.answers.unread", "Connections or requests ended: answers were not read");
        streamsRefused = counter("tailrace.live.streams.refused", "Streams beyond STREAMS_PER_PRINCIPAL");
        certificateLoads = counter("tailrace.tls.certificate.loads", "Times a new certificate came into use");
        certificateFailures = counter("tailrace.tls.certificate.failures", "New certificates that cannot be used");
    }

    public MeterRegistry registry() {
        return registry;
    }

    public void accepted(int entries) {
        entriesAccepted.increment(entries);
    }

    public void duplicates(int entries) {
        entriesDuplicate.increment(entries);
    }

    /** @param code the rejection's code, one of a closed set */
    public void rejected(String code, int entries) {
        registry.counter("tailrace.entries.rejected", "code", code).increment(entries);
    }

    public void journalCommit(long nanos, int entries, long bytes) {
        journalCommit.record(nanos, TimeUnit.NANOSECONDS);
        journalCommitEntries.record(entries);
        journalCommitBytes.record(bytes);
    }

    public void journalFailed() {
        journalFailures.increment();
    }

    /** @param reason {@code ttl} or {@code size} */
    public void trimmed(String reason, long entries) {
        registry.counter("tailrace.journal.trimmed.entries", "reason", reason).increment(entries);
    }

    public void flushed(long nanos, int rows) {
        flush.record(nanos, TimeUnit.NANOSECONDS);
        flushRows.record(rows);
    }

    public void flushFailed() {
        flushFailures.increment();
    }

    public void refused(int rows) {
        rowsRefused.increment(rows);
    }

    /** @param nanos from receipt to the socket, of the oldest entry of the write */
    public void delivered(long nanos, int readers, int entries) {
        deliveryDelay.record(nanos, TimeUnit.NANOSECONDS);
        deliveries.increment((double) readers * entries);
    }

    public void unreadableEntries(int entries) {
        unreadable.increment(entries);
    }

    public void statsWritten(int cells) {
        statsWritten.increment(cells);
    }

    public void summariesWritten(int summaries) {
        summariesWritten.increment(summaries);
    }

    public void slowReaderClosed() {
        slowReaders.increment();
    }

    public void jwksFetchFailed() {
        jwksFailures.increment();
    }

    /**
     * Entries given up under load. The first workflows get a label of their own, all later ones share one: a sender
     * chooses the name, and must not fill the memory with it.
     *
     * @param reason one of a closed set
     * @param workflow of the execution, or null
     */
    public void shed(String reason, @Nullable String workflow, long entries) {
        String label = workflow == null ? "none" : workflow;
        if (!shedWorkflows.contains(label)) {
            if (shedWorkflows.size() < MAX_SHED_WORKFLOWS) {
                shedWorkflows.add(label);
            } else {
                label = "other";
            }
        }
        registry.counter("tailrace.entries.shed", "reason", reason, "workflow", label)
                .increment(entries);
    }

    /** Requests turned away so far. */
    public long throttledRequests() {
        return (long) throttled.count();
    }

    public void throttled() {
        throttled.increment();
    }

    public void rateLimited() {
        rateLimited.increment();
    }

    public void connectionRefused() {
        connectionsRefused.increment();
    }

    public void requestTimedOut() {
        requestTimeouts.increment();
    }

    public void answerUnread() {
        unreadAnswers.increment();
    }

    public void streamRefused() {
        streamsRefused.increment();
    }

    public void certificateLoaded() {
        certificateLoads.increment();
    }

    public void certificateFailed() {
        certificateFailures.increment();
    }

    /** @param level of degradation in which this time was spent */
    public void timeInLevel(int level, long time, TimeUnit unit) {
        registry.counter("tailrace.degradation.seconds", "level", Integer.toString(level))
                .increment(unit.toNanos(time) / 1e9);
    }

    /** A gauge that is read from its owner; the owner must be safe to read from any thread. */
    public <T> void gauge(String name, String description, T owner, ToDoubleFunction<T> value) {
        Gauge.builder(name, owner, value)
                .description(description)
                .strongReference(true)
                .register(registry);
    }

    /** The same with a tag. */
    public <T> void gauge(
            String name, String description, String tag, String tagValue, T owner, ToDoubleFunction<T> value) {
        Gauge.builder(name, owner, value)
                .description(description)
                .tag(tag, tagValue)
                .strongReference(true)
                .register(registry);
    }

    /** A count that its owner keeps, and keeps alive. */
    public void counter(String name, String description, AtomicLong count) {
        FunctionCounter.builder(name, count, AtomicLong::doubleValue)
                .description(description)
                .register(registry);
    }

    private Counter counter(String name, String description) {
        return Counter.builder(name).description(description).register(registry);
    }

    private DistributionSummary summary(String name, String description) {
        return DistributionSummary.builder(name).description(description).register(registry);
    }

    private Timer timer(String name, String description) {
        return Timer.builder(name)
                .description(description)
                .serviceLevelObjectives(
                        Duration.ofMillis(1),
                        Duration.ofMillis(2),
                        Duration.ofMillis(5),
                        Duration.ofMillis(10),
                        Duration.ofMillis(25),
                        Duration.ofMillis(50),
                        Duration.ofMillis(100),
                        Duration.ofMillis(250),
                        Duration.ofMillis(1000))
                .register(registry);
    }
}
