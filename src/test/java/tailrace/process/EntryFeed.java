package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongPredicate;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * A service that sends batches at a steady rate, from a thread of its own, to executions that are all its own; it keeps
 * what was acknowledged. Of each execution, entry n has seq n, is a warning where {@link #warning}, and kept in
 * PostgreSQL where {@link #friendly}.
 */
final class EntryFeed implements AutoCloseable {
    private static final int MAX_LATENCY_MILLIS = 120_000;
    private static final long RETRY_NANOS = 50_000_000;

    private final Api api;
    private final List<String> executions;
    private final int batchEntries;
    private final long periodNanos;
    private final String padding;
    private final Histogram latencyMillis = new Histogram(MAX_LATENCY_MILLIS, 3);
    private final List<String> failures = Collections.synchronizedList(new ArrayList<>());
    private final Map<String, List<String>> acknowledged = new TreeMap<>();
    private final Thread thread = new Thread(this::run, "entry-feed");
    private @Nullable LongPredicate excused;
    private final Map<String, Integer> refusals = new ConcurrentSkipListMap<>();
    private volatile boolean givenUp;
    private volatile boolean stopped;

    /**
     * @param periodMillis between two batches; they go to the executions in turn
     * @param paddingChars that make each message longer
     */
    EntryFeed(Api api, List<String> executions, int batchEntries, int periodMillis, int paddingChars) {
        this.api = api;
        this.executions = List.copyOf(executions);
        this.batchEntries = batchEntries;
        this.periodNanos = periodMillis * 1_000_000L;
        this.padding = "x".repeat(paddingChars);
        executions.forEach(id -> acknowledged.put(id, new ArrayList<>()));
    }

    static boolean friendly(long seq) {
        return seq % 4 != 0;
    }

    static boolean warning(long seq) {
        return seq % 3 == 0;
    }

    /**
     * Each batch has an Idempotency-Key and is sent again, byte by byte the same, until it is answered with 202: for
     * servers that come and go.
     *
     * @param excused whether a request that was begun at that {@link System#nanoTime} may have gone wrong; another one
     *     that does is a failure still
     */
    EntryFeed retrying(LongPredicate excused) {
        this.excused = excused;
        return this;
    }

    EntryFeed start() {
        thread.start();
        return this;
    }

    private void run() {
        long scheduled = System.nanoTime();
        for (int batch = 0; !stopped; batch++) {
            send(executions.get(batch % executions.size()), scheduled);
            scheduled += periodNanos;
            for (long wait; !stopped && (wait = scheduled - System.nanoTime()) > 0; ) {
                LockSupport.parkNanos(wait);
            }
        }
    }

    private void send(String execution, long scheduledNanos) {
        List<String> ids = acknowledged.get(execution);
        StringBuilder body = new StringBuilder("[");
        List<String> sending = new ArrayList<>();
        for (int i = 0; i < batchEntries; i++) {
            long seq = ids.size() + sending.size() + 1L;
            String id = UUID.randomUUID().toString();
            sending.add(id);
            body.append(i == 0 ? "" : ",")
                    .append("{\"id\":\"" + id + "\",\"message\":\"" + message(execution, seq) + padding + "\"")
                    .append(",\"level\":\"" + (warning(seq) ? "WARNING" : "INFO") + "\"")
                    .append(",\"display_priority\":" + (friendly(seq) ? 8 : 3))
                    .append(",\"data\":{\"at\":" + System.nanoTime() + "}}");
        }
        try {
            Api.Answer answer = post(execution, body.append(']').toString());
            latencyMillis.recordValue(Math.min(MAX_LATENCY_MILLIS, (System.nanoTime() - scheduledNanos) / 1_000_000));
            if (answer.status() != 202 || answer.body().get("accepted").asInt() != batchEntries) {
                failures.add(answer.status() + " " + answer.body());
                return;
            }
            JsonNode range = answer.body().get("executions").get(0);
            if (range.get("first_seq").asLong() != ids.size() + 1L
                    || range.get("last_seq").asLong() != ids.size() + sending.size()) {
                failures.add("unexpected seqs " + range);
            }
            ids.addAll(sending);
        } catch (Exception e) {
            failures.add(e.toString());
        }
    }

    private Api.Answer post(String execution, String body) throws IOException, InterruptedException {
        String path = "/v2/executions/" + Api.encode(execution) + "/logs";
        LongPredicate mayFail = excused;
        if (mayFail == null) {
            return api.post(path, body);
        }
        String key = UUID.randomUUID().toString();
        while (!givenUp) {
            long begun = System.nanoTime();
            String wrong;
            try {
                Api.Answer answer = api.send(api.request(path)
                        .header("Content-Type", "application/json")
                        .header("Idempotency-Key", key)
                        .POST(BodyPublishers.ofString(body)));
                if (answer.status() != 503) {
                    return answer;
                }
                wrong = "503 " + answer.body().path("detail").asText();
            } catch (IOException e) {
                wrong = e.toString(); // nobody knows whether it is there
            }
            refusals.merge(wrong, 1, Integer::sum);
            if (!mayFail.test(begun)) {
                failures.add(wrong);
            }
            LockSupport.parkNanos(RETRY_NANOS);
        }
        throw new IOException("a batch was never answered");
    }

    static String message(String execution, long seq) {
        return "entry " + seq + " of " + execution;
    }

    /** Ends the sending; what was acknowledged can be read from here on. */
    EntryFeed finish() throws InterruptedException {
        stopped = true;
        LockSupport.unpark(thread);
        thread.join();
        return this;
    }

    /** Whether it was told to end. */
    boolean finished() {
        return stopped;
    }

    /** Every batch was answered with 202 and the seqs that follow the last. */
    EntryFeed assertAllTaken() {
        assertThat(failures).as("batches that were not taken").isEmpty();
        return this;
    }

    boolean hasFailures() {
        return !failures.isEmpty();
    }

    /** Why requests were sent again, and how often; of a {@link #retrying} feed. */
    Map<String, Integer> refusals() {
        return refusals;
    }

    /** The ids by execution, in the order of their seqs; after {@link #finish}. */
    Map<String, List<String>> acknowledged() {
        return acknowledged;
    }

    long lastSeq(String execution) {
        return acknowledged.get(execution).size();
    }

    /** From the scheduled time of sending to the 202; after {@link #finish}. */
    Histogram latencyMillis() {
        return latencyMillis;
    }

    @Override
    public void close() throws InterruptedException {
        givenUp = true;
        finish();
    }
}
