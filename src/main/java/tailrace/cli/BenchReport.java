package tailrace.cli;

import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.HdrHistogram.Histogram;

/**
 * What a benchmark found: figures in named sections, and the reasons for which the run failed. Printed as a table for
 * people or as JSON for programs; both say the same. Belongs to one thread.
 */
final class BenchReport {
    private final String command;
    private final Map<String, Map<String, Object>> sections = new LinkedHashMap<>();
    private final List<String> failures = new ArrayList<>();

    BenchReport(String command) {
        this.command = command;
    }

    /**
     * Adds a figure.
     *
     * @param name with its unit last, in snake case
     * @param value a number or a string
     */
    BenchReport add(String section, String name, Object value) {
        sections.computeIfAbsent(section, key -> new LinkedHashMap<>()).put(name, value);
        return this;
    }

    /** Adds p50, p95, p99 and the maximum of a histogram of microseconds, in milliseconds. */
    BenchReport latency(String section, Histogram micros) {
        if (micros.getTotalCount() > 0) {
            add(section, "p50_ms", micros.getValueAtPercentile(50) / 1_000.0);
            add(section, "p95_ms", micros.getValueAtPercentile(95) / 1_000.0);
            add(section, "p99_ms", micros.getValueAtPercentile(99) / 1_000.0);
            add(section, "max_ms", micros.getMaxValue() / 1_000.0);
        }
        return this;
    }

    /** Marks the run as failed, with the reason. */
    BenchReport fail(String reason) {
        failures.add(reason);
        return this;
    }

    /** Why the run failed; empty if it did not. */
    List<String> failures() {
        return List.copyOf(failures);
    }

    JsonObject toJson() {
        JsonObject json = new JsonObject().put("command", command).put("ok", failures.isEmpty());
        json.put("failures", List.copyOf(failures));
        sections.forEach((section, figures) -> json.put(section, new JsonObject(new LinkedHashMap<>(figures))));
        return json;
    }

    String json() {
        return toJson().encodePrettily();
    }

    String text() {
        int width = sections.values().stream()
                .flatMap(figures -> figures.keySet().stream())
                .mapToInt(String::length)
                .max()
                .orElse(0);
        StringBuilder text = new StringBuilder("tailrace ").append(command).append('\n');
        sections.forEach((section, figures) -> {
            text.append('\n').append(section).append('\n');
            figures.forEach((name, value) -> text.append("  ")
                    .append(name)
                    .append(" ".repeat(width - name.length() + 2))
                    .append(value instanceof Number number ? number(number.doubleValue()) : value)
                    .append('\n'));
        });
        text.append('\n');
        if (failures.isEmpty()) {
            text.append("OK");
        }
        failures.forEach(failure -> text.append("FAILED: ").append(failure).append('\n'));
        return text.toString().stripTrailing();
    }

    /** Whole numbers with separators, small ones with three decimals. */
    static String number(double value) {
        return value == Math.rint(value) || Math.abs(value) >= 1_000
                ? String.format(Locale.ROOT, "%,.0f", value)
                : String.format(Locale.ROOT, "%,.3f", value);
    }
}
