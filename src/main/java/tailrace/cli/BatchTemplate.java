package tailrace.cli;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import tailrace.model.JsonWriter;

/**
 * Whole ingest requests, made once and only patched for each send (execution, time, number), because making JSON for
 * 85,000 entries a second would take a core from the server that is measured. An entry looks like one of a workflow
 * engine: a step, a line of text, a small {@code data} object with {@code t}, the scheduled epoch microseconds, and
 * {@code n}, the entry's number in the run above {@link #NUMBER_BASE}. Immutable; each sender has a {@link Buffer} of its own.
 */
final class BatchTemplate {
    /** Variants of the batch: with 20 of them one entry in five comes out even for batches of one. */
    private static final int VARIANTS = 20;

    /** Added to an entry's number, so that it always has as many digits and no leading zero, which JSON forbids. */
    static final long NUMBER_BASE = 100_000_000_000L;

    private static final int TIME_DIGITS = 16;
    private static final int NUMBER_DIGITS = 12;
    private static final String TIME = "1".repeat(TIME_DIGITS);
    private static final String NUMBER = "1".repeat(NUMBER_DIGITS);
    private static final int STEPS = 37;
    private static final String[] WORDS = ("started finished retrying fetch upload transform validate connector payload"
                    + " timeout customer invoice record webhook session branch variable approval scheduled network"
                    + " storage queue parser token")
            .split(" ", -1);
    private static final String[] TECHNICAL_LEVELS = {"DEBUG", "INFO", "INFO", "INFO", "INFO", "INFO", "WARNING"};
    private static final String[] FRIENDLY_LEVELS = {"INFO", "INFO", "INFO", "INFO", "WARNING", "ERROR"};
    private static final String[] EVENTS = {"step_started", "step_input", "step_output", "workflow_progress", "log"};

    private final List<Variant> variants = new ArrayList<>();
    private final int batch;
    private final double friendly;
    private final int idLength;

    private record Variant(byte[] request, int[] executions, int[] times, int[] numbers) {}

    /**
     * @param batch entries a request
     * @param entryBytes of JSON an entry, about
     * @param friendly share of entries with a friendly message, 0–1
     * @param idLength of every execution id
     */
    BatchTemplate(BenchTarget.Server server, String path, int batch, int entryBytes, double friendly, int idLength) {
        this.batch = batch;
        this.friendly = friendly;
        this.idLength = idLength;
        Random random = new Random(7); // every run sends the same texts
        for (int variant = 0; variant < VARIANTS; variant++) {
            variants.add(variant(server, path, variant, entryBytes, random));
        }
    }

    int batch() {
        return batch;
    }

    /** Whether entry {@code n} of the run is one that PostgreSQL keeps. */
    boolean friendly(long n) {
        long inCycle = n % ((long) batch * VARIANTS);
        return (long) Math.floor((inCycle + 1) * friendly + 1e-9) > (long) Math.floor(inCycle * friendly + 1e-9);
    }

    /** How many of the entries {@code from} (included) to {@code to} (excluded) PostgreSQL keeps. */
    long friendlyBetween(long from, long to) {
        long count = 0;
        for (long n = from; n < to; n++) {
            count += friendly(n) ? 1 : 0;
        }
        return count;
    }

    private Variant variant(BenchTarget.Server server, String path, int variant, int entryBytes, Random random) {
        int[] executions = new int[batch];
        int[] times = new int[batch];
        int[] numbers = new int[batch];
        JsonWriter out = new JsonWriter();
        out.rawText("{\"entries\":[");
        for (int i = 0; i < batch; i++) {
            if (i > 0) {
                out.raw(',');
            }
            int start = out.length();
            out.rawText("{\"execution_id\":\"");
            executions[i] = out.length();
            boolean kept = friendly((long) variant * batch + i);
            out.rawText("x".repeat(idLength) + "\",\"level\":\""
                    + pick(random, kept ? FRIENDLY_LEVELS : TECHNICAL_LEVELS)
                    + "\",\"event_type\":\"" + pick(random, EVENTS) + "\",\"node_id\":\"step-" + random.nextInt(STEPS)
                    + "\",\"node_name\":\"" + words(random, 14) + "\",\"step_number\":" + (1 + random.nextInt(STEPS))
                    + ",\"total_steps\":" + STEPS + ",\"data\":{\"t\":");
            times[i] = out.length();
            out.rawText(TIME + ",\"n\":");
            numbers[i] = out.length();
            out.rawText(NUMBER + ",\"duration_ms\":" + random.nextInt(5_000) + ",\"bytes\":" + random.nextInt(1_000_000)
                    + ",\"status\":\"ok\"}");
            if (kept) {
                out.rawText(",\"user_friendly_message\":\"" + words(random, 58) + '"');
            }
            out.rawText(",\"message\":\"");
            int text = Math.max(8, entryBytes - (out.length() - start) - 2);
            out.rawText(words(random, text) + "\"}");
        }
        out.rawText("]}");
        byte[] head = HttpConnection.head(
                "POST",
                server.path(path),
                server,
                "Content-Type: application/json\r\nContent-Length: " + out.length() + "\r\n");
        byte[] request = Arrays.copyOf(head, head.length + out.length());
        System.arraycopy(out.array(), 0, request, head.length, out.length());
        return new Variant(
                request, shift(executions, head.length), shift(times, head.length), shift(numbers, head.length));
    }

    private static int[] shift(int[] offsets, int by) {
        return Arrays.stream(offsets).map(offset -> offset + by).toArray();
    }

    private static String pick(Random random, String[] from) {
        return from[random.nextInt(from.length)];
    }

    private static String words(Random random, int length) {
        StringBuilder text = new StringBuilder();
        while (text.length() < length) {
            text.append(pick(random, WORDS)).append(' ');
        }
        text.setLength(length);
        return text.toString();
    }

    /** One sender's request, patched in place. Belongs to one thread. */
    final class Buffer {
        private final byte[] bytes = new byte
                [variants.stream()
                        .mapToInt(variant -> variant.request().length)
                        .max()
                        .orElse(0)];

        /**
         * Makes request {@code number} and returns its length; its entries are number × batch and up.
         *
         * @param execution the id's bytes, of the length the template was made for
         */
        int fill(long number, byte[] execution, long epochMicros) {
            if (execution.length != idLength) {
                throw new IllegalArgumentException(
                        "an execution id of " + execution.length + " bytes, not " + idLength);
            }
            Variant variant = variants.get((int) (number % VARIANTS));
            System.arraycopy(variant.request(), 0, bytes, 0, variant.request().length);
            for (int i = 0; i < batch; i++) {
                System.arraycopy(execution, 0, bytes, variant.executions()[i], idLength);
                digits(variant.times()[i], TIME_DIGITS, epochMicros);
                digits(variant.numbers()[i], NUMBER_DIGITS, NUMBER_BASE + number * batch + i);
            }
            return variant.request().length;
        }

        byte[] bytes() {
            return bytes;
        }

        /** The JSON of a request just filled, for those who need no HTTP. */
        byte[] body(int length) {
            int at = 0;
            while (bytes[at] != '\r' || bytes[at + 1] != '\n' || bytes[at + 2] != '\r') {
                at++;
            }
            return Arrays.copyOfRange(bytes, at + 4, length);
        }

        /** The request as text, for tests. */
        String text(int length) {
            return new String(bytes, 0, length, StandardCharsets.UTF_8);
        }

        private void digits(int at, int count, long value) {
            long rest = value;
            for (int i = at + count - 1; i >= at; i--) {
                bytes[i] = (byte) ('0' + rest % 10);
                rest /= 10;
            }
        }
    }
}
