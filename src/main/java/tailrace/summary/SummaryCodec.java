package tailrace.summary;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tailrace.model.EventType;
import tailrace.model.JsonWriter;
import tailrace.summary.Summary.LastError;
import tailrace.summary.Summary.Milestone;

/**
 * A summary as JSON, the same text in the journal and in PostgreSQL (which puts the members in an order of its own). What
 * it does not know of it passes over, so that a later version may add to it.
 */
public final class SummaryCodec {
    private static final JsonFactory JSON = new JsonFactory();

    private SummaryCodec() {}

    /** UTF-8. */
    public static byte[] encode(Summary summary) {
        var out = new JsonWriter();
        synchronized (summary) {
            out.rawText("{\"from_seq\":").number(summary.fromSeq);
            out.rawText(",\"up_to_seq\":").number(summary.upToSeq);
            out.rawText(",\"folded\":").number(summary.folded);
            out.rawText(",\"unnamed\":").number(summary.unnamed);
            number(out, "step_number", summary.stepNumber);
            number(out, "total_steps", summary.totalSteps);
            out.rawText(",\"milestone_count\":").number(summary.milestones);
            milestones(out.rawText(",\"first_milestones\":"), summary.firstMilestones);
            milestones(out.rawText(",\"last_milestones\":"), summary.lastMilestones);
            out.rawText(",\"run\":{\"phase\":\"" + summary.run.phase.name().toLowerCase(Locale.ROOT) + "\",\"sent\":");
            out.number(summary.run.startSentMicros).rawText(",\"received\":");
            out.number(summary.run.startReceivedMicros).raw('}');
            LastError error = summary.lastError;
            if (error != null) {
                out.rawText(",\"last_error\":{\"seq\":").number(error.seq());
                out.rawText(",\"at\":").number(error.atMicros());
                out.rawText(",\"cut\":" + error.cut() + ",\"message\":").string(error.message());
                text(out, "code", error.code());
                out.raw('}');
            }
            out.rawText(",\"nodes\":[");
            boolean comma = false;
            for (SummaryNode node : summary.nodes.values()) {
                node(out.rawText(comma ? ",{" : "{"), node);
                comma = true;
            }
        }
        return out.rawText("]}").toByteArray();
    }

    private static void milestones(JsonWriter out, Iterable<Milestone> milestones) {
        out.raw('[');
        boolean comma = false;
        for (Milestone one : milestones) {
            out.rawText(comma ? ",{\"seq\":" : "{\"seq\":").number(one.seq());
            out.rawText(",\"at\":").number(one.atMicros());
            out.rawText(",\"type\":\"" + one.type().wire() + "\",\"cut\":" + one.cut() + ",\"message\":");
            out.string(one.message()).raw('}');
            comma = true;
        }
        out.raw(']');
    }

    private static void node(JsonWriter out, SummaryNode node) {
        out.rawText("\"id\":").string(node.id);
        text(out, "name", node.name);
        text(out, "type", node.type);
        text(out, "parent", node.parent);
        number(out, "step", node.step);
        out.rawText(",\"status\":\"" + node.status.name().toLowerCase(Locale.ROOT) + "\",\"attempt\":");
        out.number(node.attempt).rawText(",\"starts\":").number(node.starts);
        out.rawText(",\"logs\":").number(node.logs).rawText(",\"errors\":").number(node.errors);
        out.rawText(",\"first\":")
                .number(node.firstMicros)
                .rawText(",\"last\":")
                .number(node.lastMicros);
        Double seconds = node.durationSeconds;
        if (seconds != null) {
            out.rawText(",\"seconds\":" + seconds);
        }
        out.raw('}');
    }

    private static void text(JsonWriter out, String name, @Nullable String value) {
        if (value != null) {
            out.rawText(",\"" + name + "\":").string(value);
        }
    }

    private static void number(JsonWriter out, String name, int value) {
        if (value != Integer.MIN_VALUE) {
            out.rawText(",\"" + name + "\":").number(value);
        }
    }

    /**
     * What {@link #encode} wrote, or PostgreSQL kept of it.
     *
     * @throws IOException if it is not that
     */
    public static Summary decode(byte[] json, int offset, int length) throws IOException {
        var into = new Summary();
        into.run.unknown(); // an earlier version did not say
        try (JsonParser in = JSON.createParser(json, offset, length)) {
            require(in.nextToken() == JsonToken.START_OBJECT);
            members(in, name -> {
                switch (name) {
                    case "from_seq" -> into.fromSeq = in.getLongValue();
                    case "up_to_seq" -> into.upToSeq = in.getLongValue();
                    case "folded" -> into.folded = in.getLongValue();
                    case "unnamed" -> into.unnamed = in.getLongValue();
                    case "step_number" -> into.stepNumber = in.getIntValue();
                    case "total_steps" -> into.totalSteps = in.getIntValue();
                    case "milestone_count" -> into.milestones = in.getLongValue();
                    case "first_milestones" -> each(in, () -> into.firstMilestones.add(milestone(in)));
                    case "last_milestones" -> each(in, () -> into.lastMilestones.add(milestone(in)));
                    case "run" -> run(in, into.run);
                    case "last_error" -> into.lastError = error(in);
                    case "nodes" -> each(in, () -> into.put(node(in)));
                    default -> in.skipChildren();
                }
            });
        } catch (RuntimeException e) {
            throw new IOException("not a summary", e);
        }
        return into;
    }

    private static void run(JsonParser in, RunTrack run) throws IOException {
        members(in, name -> {
            switch (name) {
                case "phase" -> run.phase = RunTrack.Phase.valueOf(in.getText().toUpperCase(Locale.ROOT));
                case "sent" -> run.startSentMicros = in.getLongValue();
                case "received" -> run.startReceivedMicros = in.getLongValue();
                default -> in.skipChildren();
            }
        });
    }

    private interface Reading {
        void read(String name) throws IOException;
    }

    private interface Item {
        void read() throws IOException;
    }

    private static void members(JsonParser in, Reading reading) throws IOException {
        while (in.nextToken() == JsonToken.FIELD_NAME) {
            String name = in.currentName();
            in.nextToken();
            reading.read(name);
        }
        require(in.hasToken(JsonToken.END_OBJECT));
    }

    private static void each(JsonParser in, Item item) throws IOException {
        require(in.hasToken(JsonToken.START_ARRAY));
        while (in.nextToken() == JsonToken.START_OBJECT) {
            item.read();
        }
        require(in.hasToken(JsonToken.END_ARRAY));
    }

    private static void require(boolean expected) throws IOException {
        if (!expected) {
            throw new IOException("not a summary");
        }
    }

    private static final class Texts {
        long seq;
        long at;
        boolean cut;
        String message = "";
        EventType type = EventType.LOG;

        @Nullable
        String code;
    }

    private static Texts texts(JsonParser in) throws IOException {
        var texts = new Texts();
        members(in, name -> {
            switch (name) {
                case "seq" -> texts.seq = in.getLongValue();
                case "at" -> texts.at = in.getLongValue();
                case "cut" -> texts.cut = in.getBooleanValue();
                case "message" -> texts.message = in.getText();
                case "code" -> texts.code = in.getText();
                case "type" -> texts.type = EventType.valueOf(in.getText().toUpperCase(Locale.ROOT));
                default -> in.skipChildren();
            }
        });
        return texts;
    }

    private static Milestone milestone(JsonParser in) throws IOException {
        Texts texts = texts(in);
        return new Milestone(texts.seq, texts.at, texts.type, texts.message, texts.cut);
    }

    private static LastError error(JsonParser in) throws IOException {
        Texts texts = texts(in);
        return new LastError(texts.seq, texts.at, texts.message, texts.cut, texts.code);
    }

    private static SummaryNode node(JsonParser in) throws IOException {
        var read = new SummaryNode("");
        String[] id = {""};
        members(in, name -> {
            switch (name) {
                case "id" -> id[0] = in.getText();
                case "name" -> read.name = in.getText();
                case "type" -> read.type = in.getText();
                case "parent" -> read.parent = in.getText();
                case "step" -> read.step = in.getIntValue();
                case "status" ->
                    read.status = SummaryNode.Status.valueOf(in.getText().toUpperCase(Locale.ROOT));
                case "attempt" -> read.attempt = in.getIntValue();
                case "starts" -> read.starts = in.getIntValue();
                case "logs" -> read.logs = in.getLongValue();
                case "errors" -> read.errors = in.getLongValue();
                case "first" -> read.firstMicros = in.getLongValue();
                case "last" -> read.lastMicros = in.getLongValue();
                case "seconds" -> read.durationSeconds = in.getDoubleValue();
                default -> in.skipChildren();
            }
        });
        return new SummaryNode(id[0], read);
    }
}
