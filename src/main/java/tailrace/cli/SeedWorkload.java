package tailrace.cli;

import java.util.Locale;
import java.util.Random;
import tailrace.model.JsonWriter;

/**
 * The entries that {@code bench seed} puts in and {@code bench read} asks for: the same names and the same texts each
 * time, so that the one can be run long before the other. An execution is a run of {@value #STEPS} steps; some words are
 * in every thousandth or every hundred thousandth entry. Immutable; safe for any thread.
 *
 * @param prefix of every execution's id, and the workflow's
 * @param friendly share of entries with a friendly message, 0–1, besides those that are kept anyway
 */
record SeedWorkload(String prefix, double friendly) {
    /** In every thousandth entry. */
    static final String UNCOMMON_WORD = "quasar";
    /** In every hundred thousandth entry. */
    static final String RARE_WORD = "obsidian";

    private static final int UNCOMMON_EVERY = 1_000;
    private static final int RARE_EVERY = 100_000;
    private static final int STEPS = 37;
    private static final int MESSAGE_CHARS = 180;
    private static final String[] LEVELS = {"DEBUG", "DEBUG", "INFO", "INFO", "INFO", "INFO", "INFO", "WARNING"};
    private static final String[] EVENTS = {"step_input", "step_output", "workflow_progress", "log", "log", "log"};
    private static final String[] WORDS = ("started finished retrying fetch upload transform validate connector payload"
                    + " timeout customer invoice record webhook session branch variable approval scheduled network"
                    + " storage queue parser token")
            .split(" ", -1);

    /** The one with the most entries. */
    String largeExecution() {
        return prefix + "-large";
    }

    /** One of many. */
    String execution(int number) {
        return String.format(Locale.ROOT, "%s-%06d", prefix, number);
    }

    String workflow() {
        return prefix;
    }

    /**
     * The JSON of a batch: entries {@code from} to {@code from + count} of an execution that has {@code of} in all.
     *
     * @param salt tells one execution's texts from another's
     */
    void batch(JsonWriter out, String execution, int salt, int from, int count, int of) {
        out.reset();
        out.rawText("{\"defaults\":{\"execution_id\":").string(execution);
        out.rawText(",\"workflow_id\":").string(workflow()).rawText("},\"entries\":[");
        Random random = new Random(31L * salt + from);
        for (int i = 0; i < count; i++) {
            if (i > 0) {
                out.raw(',');
            }
            entry(out, random, salt, from + i, of);
        }
        out.rawText("]}");
    }

    private void entry(JsonWriter out, Random random, int salt, int number, int of) {
        long perStep = Math.max(1, of / STEPS);
        int step = (int) Math.min(STEPS - 1, number / perStep);
        out.rawText("{\"event_type\":\"").rawText(event(random, number, of, perStep));
        out.rawText("\",\"level\":\"").rawText(random.nextInt(200) == 0 ? "ERROR" : pick(random, LEVELS));
        out.rawText("\",\"node_id\":\"step-" + step + "\",\"node_name\":\"Step " + step + "\",\"step_number\":");
        out.number(step + 1).rawText(",\"total_steps\":").number(STEPS);
        out.rawText(",\"data\":{\"n\":").number(number).rawText(",\"bytes\":" + random.nextInt(1_000_000) + '}');
        if (random.nextDouble() < friendly) {
            out.rawText(",\"user_friendly_message\":").string(words(random, MESSAGE_CHARS / 3));
        }
        String message = words(random, MESSAGE_CHARS);
        long global = (long) salt * of + number;
        if (global % UNCOMMON_EVERY == UNCOMMON_EVERY / 2) {
            message += UNCOMMON_WORD;
        }
        if (global % RARE_EVERY == RARE_EVERY / 2) {
            message += ' ' + RARE_WORD;
        }
        out.rawText(",\"message\":").string(message).raw('}');
    }

    private static String event(Random random, int number, int of, long perStep) {
        if (number == 0) {
            return "workflow_started";
        }
        if (number == of - 1) {
            return "workflow_completed";
        }
        long inStep = number % perStep;
        return inStep == 0 ? "step_started" : inStep == perStep - 1 ? "step_completed" : pick(random, EVENTS);
    }

    private static String pick(Random random, String[] from) {
        return from[random.nextInt(from.length)];
    }

    private static String words(Random random, int chars) {
        var text = new StringBuilder(chars + 16);
        while (text.length() < chars) {
            text.append(pick(random, WORDS)).append(' ');
        }
        return text.toString();
    }
}
