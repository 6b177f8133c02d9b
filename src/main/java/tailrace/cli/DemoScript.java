package tailrace.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import tailrace.cli.DemoTexts.Failure;
import tailrace.cli.DemoTexts.Step;
import tailrace.cli.DemoTexts.Workflow;

/**
 * What the demo's workflows do and say: one run is a list of moments, each with the entries that happen then. Made of
 * nothing but a random source, so that a seed gives the same run again. Entries carry everything but their id, time and
 * execution, which {@link DemoWorkflow} adds when the moment comes.
 */
final class DemoScript {
    private static final int FAILURE_ONE_IN = 6;
    private static final int RETRY_ONE_IN = 4;
    private static final int WARNING_ONE_IN = 5;

    private final List<Workflow> workflows = DemoTexts.workflows();
    private final Random random;
    private int next;

    /** @param delayMs after the moment before, at normal speed */
    record Moment(long delayMs, List<DemoEntry> entries) {}

    /** @param finished {@code SUCCEEDED} or {@code FAILED} */
    record Run(String workflowId, String name, List<Moment> moments, String finished) {}

    DemoScript(Random random) {
        this.random = random;
        this.next = random.nextInt(workflows.size());
    }

    /** The next run, of each workflow in turn. */
    Run next() {
        Workflow workflow = workflows.get(next);
        next = (next + 1) % workflows.size();
        String subject = workflow.subject().formatted(1_000 + random.nextInt(9_000));
        int failing = random.nextInt(FAILURE_ONE_IN) == 0
                ? 1 + random.nextInt(workflow.steps().size() - 1)
                : -1;
        List<Moment> moments = new ArrayList<>();
        moments.add(new Moment(
                300,
                List.of(entry("INFO", "workflow_started", "run started: " + workflow.id() + " subject=" + subject)
                        .friendly(workflow.name() + " started for " + subject)
                        .data("trigger", random.nextBoolean() ? "schedule" : "webhook")
                        .data("subject", subject))));
        for (int i = 0; i < workflow.steps().size(); i++) {
            step(workflow, i, subject, i == failing, moments);
            if (i == failing) {
                moments.add(end(
                        workflow,
                        "FAILED",
                        workflow.name() + " failed: "
                                + workflow.steps().get(i).error().friendly()));
                return new Run(workflow.id(), workflow.name(), List.copyOf(moments), "FAILED");
            }
        }
        moments.add(end(workflow, "SUCCEEDED", workflow.name() + " finished for " + subject));
        return new Run(workflow.id(), workflow.name(), List.copyOf(moments), "SUCCEEDED");
    }

    private Moment end(Workflow workflow, String status, String friendly) {
        DemoEntry entry = entry(
                        status.equals("FAILED") ? "ERROR" : "INFO",
                        "workflow_completed",
                        "run " + workflow.id() + " ended: " + status)
                .friendly(friendly)
                .data("status", status);
        return new Moment(
                600,
                List.of(status.equals("FAILED") ? entry : entry.progress(100).milestone()));
    }

    private void step(Workflow workflow, int index, String subject, boolean fails, List<Moment> moments) {
        Step step = workflow.steps().get(index);
        int items = 20 + random.nextInt(480);
        moments.add(new Moment(
                500,
                List.of(
                        at(workflow, index, entry("INFO", "step_started", step.id() + ": started"))
                                .friendly(step.running().formatted(subject)),
                        at(workflow, index, entry("DEBUG", "step_input", step.id() + ": input bound"))
                                .data("items", items)
                                .data("subject", subject))));
        if (random.nextInt(RETRY_ONE_IN) == 0) {
            retry(workflow, index, moments);
        }
        for (int tick = 1; tick <= 3; tick++) {
            double progress = 100.0 * (index + tick / 4.0) / workflow.steps().size();
            List<DemoEntry> entries = new ArrayList<>();
            entries.add(at(workflow, index, entry("DEBUG", "log", pick(step.noise())))
                    .data("duration_ms", 2 + random.nextInt(180)));
            entries.add(at(
                            workflow,
                            index,
                            entry("INFO", "workflow_progress", step.id() + ": " + items * tick / 4 + " of " + items))
                    .progress(progress));
            moments.add(new Moment(400 + random.nextInt(500), entries));
            if (fails && tick == 2) {
                fail(workflow, index, moments);
                return;
            }
        }
        if (random.nextInt(WARNING_ONE_IN) == 0) {
            int skipped = 1 + random.nextInt(4);
            moments.add(new Moment(
                    200,
                    List.of(at(
                                    workflow,
                                    index,
                                    entry("WARNING", "log", step.id() + ": skipped=" + skipped + " reason=incomplete"))
                            .friendly(
                                    skipped + (skipped == 1 ? " item was" : " items were") + " incomplete and left out")
                            .data("skipped", skipped))));
        }
        complete(workflow, index, items, moments);
    }

    private void complete(Workflow workflow, int index, int items, List<Moment> moments) {
        Step step = workflow.steps().get(index);
        DemoEntry done = at(workflow, index, entry("INFO", "step_completed", step.id() + ": completed items=" + items))
                .friendly(step.done().formatted(items))
                .progress(100.0 * (index + 1) / workflow.steps().size())
                .duration(1 + random.nextInt(40) / 10.0);
        moments.add(new Moment(
                400,
                List.of(
                        at(workflow, index, entry("DEBUG", "step_output", step.id() + ": output stored"))
                                .data("items", items)
                                .data("bytes", items * 731),
                        step.milestone() ? done.milestone() : done)));
    }

    /** A call that does not come through at first, as they do. */
    private void retry(Workflow workflow, int index, List<Moment> moments) {
        Step step = workflow.steps().get(index);
        int attempts = 1 + random.nextInt(2);
        for (int attempt = 1; attempt <= attempts; attempt++) {
            moments.add(new Moment(
                    700,
                    List.of(at(
                                    workflow,
                                    index,
                                    entry(
                                            "WARNING",
                                            "log",
                                            step.id() + ": upstream answered 503, retry in " + attempt + " s"))
                            .friendly("The other side is busy; trying again (" + attempt + ")")
                            .attempt(attempt)
                            .data("status", 503))));
        }
        moments.add(new Moment(
                900,
                List.of(at(workflow, index, entry("INFO", "log", step.id() + ": upstream answered 200"))
                        .attempt(attempts + 1)
                        .data("status", 200))));
    }

    private void fail(Workflow workflow, int index, List<Moment> moments) {
        Step step = workflow.steps().get(index);
        Failure error = step.error();
        moments.add(new Moment(
                900,
                List.of(at(workflow, index, entry("ERROR", "step_error", step.id() + ": " + error.exception()))
                        .friendly(error.friendly())
                        .error(error.code(), error.exception() + "\n" + error.frames()))));
    }

    private static DemoEntry entry(String level, String event, String message) {
        return new DemoEntry(level, event, message);
    }

    private static DemoEntry at(Workflow workflow, int index, DemoEntry entry) {
        Step step = workflow.steps().get(index);
        return entry.step(
                step.id(), step.name(), step.type(), index + 1, workflow.steps().size());
    }

    private String pick(List<String> from) {
        return from.get(random.nextInt(from.size()));
    }
}
