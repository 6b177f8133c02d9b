package tailrace.diff;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import tailrace.diff.RunReader.Run;
import tailrace.diff.RunTally.MessageKey;
import tailrace.diff.RunTally.MessageTally;

/**
 * What a run did otherwise than another one: steps that are new, missing or went otherwise, messages that are new,
 * missing or came more or less often. Takes milliseconds; not for an event loop.
 */
public final class RunDiff {
    /** Of each list in the answer. */
    static final int MAX_LISTED = 500;
    /** A step is slower or faster from this factor on … */
    static final double MIN_RATIO = 1.25;
    /** … and from so many seconds on: what takes milliseconds varies by more. */
    static final double MIN_SECONDS = 0.1;

    private final Run here;
    private final Run there;
    private final List<JsonObject> newSteps = new ArrayList<>();
    private final List<JsonObject> missingSteps = new ArrayList<>();
    private final List<JsonObject> changedSteps = new ArrayList<>();
    private final List<Message> newMessages = new ArrayList<>();
    private final List<Message> missingMessages = new ArrayList<>();
    private final List<Message> changedMessages = new ArrayList<>();

    /** One or both of the counts are there. */
    private record Message(
            MessageKey key,
            @Nullable MessageTally here,
            @Nullable MessageTally there) {
        long seq() {
            return here != null ? here.firstSeq : there != null ? there.firstSeq : 0;
        }

        long difference() {
            return Math.abs((here == null ? 0 : here.count) - (there == null ? 0 : there.count));
        }
    }

    private RunDiff(Run here, Run there) {
        this.here = here;
        this.there = there;
    }

    /** The answer, as {@code GET …/logs/diff} gives it. */
    public static JsonObject json(Run here, Run there) {
        return new RunDiff(here, there).json();
    }

    private JsonObject json() {
        steps();
        messages();
        boolean identical = newSteps.isEmpty()
                && missingSteps.isEmpty()
                && changedSteps.isEmpty()
                && newMessages.isEmpty()
                && missingMessages.isEmpty()
                && changedMessages.isEmpty()
                && here.state().status() == there.state().status();
        boolean truncated = here.tally().truncated() || there.tally().truncated();
        for (List<?> list :
                List.of(newSteps, missingSteps, changedSteps, newMessages, missingMessages, changedMessages)) {
            truncated |= list.size() > MAX_LISTED;
        }
        return new JsonObject()
                .put("execution_id", here.state().executionId())
                .put("against", there.state().executionId())
                .put("workflow_id", here.state().workflowId())
                .put("identical", identical)
                .put("truncated", truncated)
                .put("execution", run(here))
                .put("against_execution", run(there))
                .put(
                        "steps",
                        new JsonObject()
                                .put("new", steps(newSteps))
                                .put("missing", steps(missingSteps))
                                .put("changed", steps(changedSteps)))
                .put(
                        "messages",
                        new JsonObject()
                                .put("new", messages(newMessages, false))
                                .put("missing", messages(missingMessages, false))
                                .put("changed", messages(changedMessages, true)));
    }

    private static JsonObject run(Run run) {
        var missing = new JsonArray();
        run.coverage().missing().stream()
                .limit(MAX_LISTED)
                .forEach(gap -> missing.add(new JsonObject()
                        .put("from_seq", gap.fromSeq())
                        .put("to_seq", gap.toSeq())
                        .put("reason", gap.reason().wire())));
        var coverage = new JsonObject().put("complete", run.coverage().complete());
        return new JsonObject()
                .put("status", run.state().status().name())
                .put("compared_logs", run.tally().entries())
                .put("coverage", missing.isEmpty() ? coverage : coverage.put("missing", missing));
    }

    private void steps() {
        StepPairs pairs = StepPairs.of(here.tally().steps(), there.tally().steps());
        pairs.onlyHere().forEach(step -> newSteps.add(step(step)));
        pairs.onlyThere().forEach(step -> missingSteps.add(step(step)));
        for (StepPairs.Pair pair : pairs.pairs()) {
            JsonArray changes = changes(pair.here(), pair.there());
            if (!changes.isEmpty()) {
                changedSteps.add(changed(pair.here(), pair.there(), changes));
            }
        }
    }

    private static JsonArray changes(StepTally here, StepTally there) {
        var changes = new JsonArray();
        if (here.status() != there.status()) {
            changes.add("status");
        }
        if (here.attempts() != there.attempts()) {
            changes.add("attempts");
        }
        OptionalDouble now = here.seconds();
        OptionalDouble before = there.seconds();
        if (now.isPresent() && before.isPresent()) {
            double more = now.getAsDouble() - before.getAsDouble();
            if (more >= MIN_SECONDS && now.getAsDouble() >= before.getAsDouble() * MIN_RATIO) {
                changes.add("slower");
            } else if (-more >= MIN_SECONDS && before.getAsDouble() >= now.getAsDouble() * MIN_RATIO) {
                changes.add("faster");
            }
        }
        return changes;
    }

    private static JsonObject step(StepTally step) {
        return new JsonObject()
                .put("node_id", step.nodeId)
                .put("node_name", step.nodeName)
                .put("first_seq", step.firstSeq)
                .put("status", wire(step.status()))
                .put("attempts", step.attempts())
                .put("duration_seconds", seconds(step.seconds()));
    }

    private static JsonObject changed(StepTally here, StepTally there, JsonArray changes) {
        JsonObject json = step(here)
                .put("against_node_id", there.nodeId)
                .put("against_first_seq", there.firstSeq)
                .put("against_status", wire(there.status()))
                .put("against_attempts", there.attempts())
                .put("against_duration_seconds", seconds(there.seconds()));
        OptionalDouble before = there.seconds();
        OptionalDouble now = here.seconds();
        boolean ratio = now.isPresent() && before.isPresent() && before.getAsDouble() > 0;
        return json.put("ratio", ratio ? rounded(now.getAsDouble() / before.getAsDouble(), 2) : null)
                .put("changes", changes);
    }

    private void messages() {
        Map<MessageKey, MessageTally> ours = here.tally().messages();
        Map<MessageKey, MessageTally> theirs = there.tally().messages();
        ours.forEach((key, tally) -> {
            MessageTally other = theirs.get(key);
            if (other == null) {
                newMessages.add(new Message(key, tally, null));
            } else if (other.count != tally.count) {
                changedMessages.add(new Message(key, tally, other));
            }
        });
        theirs.forEach((key, tally) -> {
            if (!ours.containsKey(key)) {
                missingMessages.add(new Message(key, null, tally));
            }
        });
        Comparator<Message> gravest =
                Comparator.comparing((Message message) -> message.key().level()).reversed();
        newMessages.sort(gravest.thenComparingLong(Message::seq));
        missingMessages.sort(gravest.thenComparingLong(Message::seq));
        changedMessages.sort(gravest.thenComparing(
                        Comparator.comparingLong(Message::difference).reversed())
                .thenComparingLong(Message::seq));
    }

    private static JsonArray steps(List<JsonObject> steps) {
        return new JsonArray(new ArrayList<>(steps.subList(0, Math.min(steps.size(), MAX_LISTED))));
    }

    private static JsonArray messages(List<Message> messages, boolean both) {
        var list = new JsonArray();
        messages.stream().limit(MAX_LISTED).forEach(message -> {
            MessageTally ours = message.here() != null ? message.here() : message.there();
            MessageTally theirs = message.there();
            if (ours == null) {
                return; // one of the two is always there
            }
            var json = new JsonObject()
                    .put("level", message.key().level().wire())
                    .put("template", message.key().template())
                    .put("count", ours.count)
                    .put("example_seq", ours.firstSeq);
            if (both && theirs != null) {
                json.put("against_count", theirs.count).put("against_example_seq", theirs.firstSeq);
            }
            list.add(json);
        });
        return list;
    }

    private static @Nullable String wire(StepTally.@Nullable Status status) {
        return status == null ? null : status.wire();
    }

    private static @Nullable BigDecimal seconds(OptionalDouble seconds) {
        return seconds.isEmpty() ? null : rounded(seconds.getAsDouble(), 6);
    }

    private static BigDecimal rounded(double value, int digits) {
        BigDecimal rounded =
                new BigDecimal(value).setScale(digits, RoundingMode.HALF_UP).stripTrailingZeros();
        return rounded.scale() < 0 ? rounded.setScale(0) : rounded; // 100, not 1E+2
    }
}
