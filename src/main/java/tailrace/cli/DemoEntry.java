package tailrace.cli;

import io.vertx.core.json.JsonObject;
import java.time.Instant;
import java.util.UUID;

/** One entry of a demo run, written down field by field. Belongs to one thread until it is posted. */
final class DemoEntry {
    private final JsonObject json = new JsonObject();
    private final JsonObject data = new JsonObject();

    DemoEntry(String level, String event, String message) {
        json.put("level", level).put("event_type", event).put("message", message);
    }

    DemoEntry friendly(String text) {
        json.put("user_friendly_message", text);
        return this;
    }

    DemoEntry data(String name, Object value) {
        data.put(name, value);
        return this;
    }

    DemoEntry step(String id, String name, String type, int number, int total) {
        json.put("node_id", id)
                .put("node_name", name)
                .put("node_type", type)
                .put("step_number", number)
                .put("total_steps", total);
        return this;
    }

    /** @param percent 0–100; kept with two decimals */
    DemoEntry progress(double percent) {
        json.put("progress_percentage", Math.round(percent * 100) / 100.0);
        return this;
    }

    DemoEntry milestone() {
        json.put("is_milestone", true);
        return this;
    }

    DemoEntry attempt(int attempt) {
        json.put("attempt", attempt);
        return this;
    }

    DemoEntry duration(double seconds) {
        json.put("duration_seconds", seconds);
        return this;
    }

    DemoEntry error(String code, String stackTrace) {
        json.put("error_code", code).put("stack_trace", stackTrace);
        return this;
    }

    /** The entry as it is posted: with the id that keeps a repeated post from doubling it. */
    JsonObject posted(UUID id, Instant at) {
        JsonObject posted = json.copy().put("id", id.toString()).put("timestamp", at.toString());
        return data.isEmpty() ? posted : posted.put("data", data.copy());
    }
}
