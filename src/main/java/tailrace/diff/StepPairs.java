package tailrace.diff;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tailrace.model.MessageTemplate;

/**
 * Which step of one run is which of another. By id and name; what is left by name without numbers, since engines give
 * steps new ids in every run; what is still left by id, and where there are no names by id without numbers. Equals are paired in the order in which
 * they began.
 *
 * @param onlyHere steps that the other run does not have
 * @param onlyThere steps that this run does not have
 */
record StepPairs(List<Pair> pairs, List<StepTally> onlyHere, List<StepTally> onlyThere) {
    /** The same step in both runs. */
    record Pair(StepTally here, StepTally there) {}

    static StepPairs of(List<StepTally> here, List<StepTally> there) {
        var pairs = new ArrayList<Pair>();
        var restHere = new ArrayList<>(here);
        var restThere = new ArrayList<>(there);
        List<Function<StepTally, @Nullable Object>> keys = List.of(
                step -> step.nodeId == null ? null : List.of(step.nodeId, step.nodeName == null ? "" : step.nodeName),
                step -> step.nodeName == null ? null : MessageTemplate.of(step.nodeName),
                step -> step.nodeId,
                step -> step.nodeId == null || step.nodeName != null ? null : MessageTemplate.of(step.nodeId));
        keys.forEach(key -> pair(restHere, restThere, key, pairs));
        return new StepPairs(pairs, restHere, restThere);
    }

    private static void pair(
            List<StepTally> here, List<StepTally> there, Function<StepTally, @Nullable Object> key, List<Pair> pairs) {
        Map<Object, Deque<StepTally>> byKey = new HashMap<>();
        for (StepTally step : there) {
            Object value = key.apply(step);
            if (value != null) {
                byKey.computeIfAbsent(value, none -> new ArrayDeque<>()).add(step);
            }
        }
        var found = new java.util.HashSet<StepTally>();
        for (Iterator<StepTally> each = here.iterator(); each.hasNext(); ) {
            StepTally step = each.next();
            Object value = key.apply(step);
            Deque<StepTally> same = value == null ? null : byKey.get(value);
            StepTally other = same == null ? null : same.poll();
            if (other != null) {
                pairs.add(new Pair(step, other));
                found.add(other);
                each.remove();
            }
        }
        there.removeAll(found);
    }
}
