package tailrace.ingest;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tailrace.config.TailraceConfig;
import tailrace.model.Bytes;
import tailrace.model.EntryCodec;
import tailrace.model.IncomingEntry;
import tailrace.model.IngestBatch;
import tailrace.model.IngestBatch.PendingEntry;
import tailrace.model.Rejection;
import tailrace.model.StorableText;
import tailrace.model.Timestamps;

/**
 * Reads a request body of any of the three forms (SPEC 5): {@code {"defaults":…,"entries":[…]}}, {@code […]}, NDJSON. A
 * streaming parser; no tree is made of an entry. An entry that breaks a rule is rejected alone. Keeps buffers between
 * calls, so it belongs to one thread.
 */
public final class BatchParser {
    private static final Pattern QUOTED_WORD = Pattern.compile("(?<=token) '[^']*+'");

    // Deeper than any entry that is small enough can be, so that a deep one is rejected alone; a limit all the same.
    private static final int MAX_NESTING = 20_000;
    private static final int MAX_NUMBER_CHARS = 1 << 20;
    private static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_NESTING)
                    .maxNumberLength(MAX_NUMBER_CHARS)
                    .maxStringLength(Integer.MAX_VALUE)
                    .maxNameLength(Integer.MAX_VALUE)
                    .build())
            .disable(com.fasterxml.jackson.core.JsonFactory.Feature.INTERN_FIELD_NAMES)
            .build();

    private final TailraceConfig.Ingest config;
    private final Masking masking;
    private final Clock clock;
    private final Supplier<UUID> ids;
    private final EntryParser entry;
    private final EntryParser defaultsEntry;
    private final EntryCodec codec = new EntryCodec();

    // Of the request being parsed.
    private @Nullable EntryParser defaults;
    private @Nullable String pathExecutionId;
    private @Nullable IncomingEntry incoming;
    private long nowMicros;
    private List<PendingEntry> entries = new ArrayList<>();
    private List<Rejection> rejected = new ArrayList<>();
    private long bytes;
    private int index;

    /** @param ids gives the id of an entry whose sender gave none */
    public BatchParser(TailraceConfig.Ingest config, Masking masking, Clock clock, Supplier<UUID> ids) {
        this.config = config;
        this.masking = masking;
        this.clock = clock;
        this.ids = ids;
        this.entry = new EntryParser(config.maxDataDepth(), masking);
        this.defaultsEntry = new EntryParser(config.maxDataDepth(), masking);
    }

    /**
     * @param body decompressed, within the limit on bytes
     * @param ndjson whether each line is an entry
     * @param executionId from the path, or null
     * @throws BodyException if nothing of it can be taken
     */
    public IngestBatch parse(
            byte[] body, boolean ndjson, @Nullable String executionId, IngestBatch.@Nullable IdempotencyKey key)
            throws BodyException {
        nowMicros = Timestamps.micros(clock.instant());
        pathExecutionId = executionId == null ? null : checkedPathId(executionId);
        defaults = null;
        incoming = null;
        clearResult();
        requireUtf8(body);
        if (ndjson) {
            parseLines(body);
        } else {
            parseJson(body);
        }
        if (entries.isEmpty() && rejected.isEmpty()) {
            throw new BodyException(400, "empty_batch", "The body holds no entry. Send at least one.");
        }
        return new IngestBatch(entries, rejected, key, bytes);
    }

    /**
     * Entries that came one by one, each read like a line of NDJSON; one that is no JSON is rejected alone, too.
     *
     * @param given as many as the caller wants at once; its index is that of the list
     */
    public IngestBatch parse(List<IncomingEntry> given) {
        nowMicros = Timestamps.micros(clock.instant());
        pathExecutionId = null;
        defaults = null;
        clearResult();
        for (IncomingEntry each : given) {
            incoming = each;
            parseLine(each.json(), 0, each.json().length);
            index++;
        }
        return new IngestBatch(entries, rejected, null, bytes);
    }

    private static String checkedPathId(String executionId) throws BodyException {
        if (executionId.isEmpty() || executionId.codePointCount(0, executionId.length()) > 255) {
            throw new BodyException(
                    400, "invalid_execution_id", "The execution id in the path must have 1 to 255 characters.");
        }
        return StorableText.of(executionId);
    }

    /** The parser would guess UTF-16 and UTF-32 by itself, and entries would be measured in the wrong unit. */
    private static void requireUtf8(byte[] body) throws BodyException {
        boolean wide = body.length >= 2
                && (body[0] == 0 || body[1] == 0 || (body[0] & 0xfe) == 0xfe && (body[1] & 0xfe) == 0xfe);
        if (wide) {
            throw new BodyException(400, "invalid_encoding", "The body is not UTF-8. JSON is sent as UTF-8.");
        }
    }

    private void clearResult() {
        entries = new ArrayList<>();
        rejected = new ArrayList<>();
        bytes = 0;
        index = 0;
    }

    private void parseJson(byte[] body) throws BodyException {
        int impossible = Utf8.impossibleAt(body, 0, body.length);
        if (impossible >= 0) {
            throw new BodyException(
                    400, "invalid_encoding", "The body is not UTF-8 at offset " + impossible + ". Nothing was taken.");
        }
        try (JsonParser parser = JSON.createParser(body)) {
            JsonToken first = parser.nextToken();
            if (first == JsonToken.START_ARRAY) {
                parseEntries(parser);
            } else if (first == JsonToken.START_OBJECT) {
                parseObject(parser, body);
            } else {
                throw new BodyException(
                        400,
                        "invalid_body",
                        first == null
                                ? "The body is empty. Send {\"entries\":[…]}, […] or NDJSON."
                                : "The body is neither an object nor an array. Send {\"entries\":[…]}, […] or NDJSON.");
            }
            if (parser.nextToken() != null) {
                throw new BodyException(
                        400,
                        "invalid_json",
                        "There is more after the end of the JSON (" + at(parser.currentTokenLocation())
                                + "). For one entry a line, send Content-Type: application/x-ndjson.");
            }
        } catch (IOException e) {
            throw invalidJson(e);
        }
    }

    private void parseObject(JsonParser parser, byte[] body) throws IOException, BodyException {
        boolean found = false;
        boolean late = false;
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            JsonToken value = parser.nextToken();
            switch (name) {
                case "entries" -> {
                    if (value != JsonToken.START_ARRAY) {
                        throw new BodyException(400, "invalid_body", "entries must be an array of entries.");
                    }
                    clearResult(); // of duplicate members the last counts
                    parseEntries(parser);
                    found = true;
                    late = false;
                }
                case "defaults" -> {
                    parseDefaults(parser);
                    late = found;
                }
                default ->
                    throw new BodyException(
                            400,
                            "unknown_member",
                            "The body's object has a member " + Values.shown(masking.mask(name))
                                    + "; it may have defaults and entries. One entry alone goes into entries, too.");
            }
        }
        if (!found) {
            throw new BodyException(
                    400, "missing_entries", "The body's object has no entries. Send {\"entries\":[…]}.");
        }
        if (late) {
            parseAgain(body);
        }
    }

    /** Reads the entries once more, with the defaults that were found behind them; the body is known to be sound. */
    private void parseAgain(byte[] body) throws IOException, BodyException {
        try (JsonParser parser = JSON.createParser(body)) {
            parser.nextToken();
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                boolean isEntries = parser.currentName().equals("entries");
                parser.nextToken();
                if (isEntries) {
                    clearResult();
                    parseEntries(parser);
                } else {
                    parser.skipChildren();
                }
            }
        }
    }

    private void parseDefaults(JsonParser parser) throws IOException, BodyException {
        if (!parser.hasToken(JsonToken.START_OBJECT)) {
            throw new BodyException(400, "invalid_body", "defaults must be an object with fields of an entry.");
        }
        defaultsEntry.begin(null);
        EntryException broken = defaultsEntry.read(parser);
        if (broken != null) {
            throw new BodyException(400, broken.code(), "defaults: " + broken.reason(masking));
        }
        if (defaultsEntry.fields.id != null) {
            throw new BodyException(400, "invalid_id", "defaults: an id names one entry; it cannot be a default.");
        }
        defaults = defaultsEntry;
    }

    private void parseEntries(JsonParser parser) throws IOException, BodyException {
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            long start = parser.currentTokenLocation().getByteOffset();
            checkCount();
            parseEntry(parser, start);
            index++;
        }
    }

    private void checkCount() throws BodyException {
        if (index >= config.maxBatchEntries()) {
            throw new BodyException(
                    413,
                    "too_many_entries",
                    "The batch has more than " + config.maxBatchEntries() + " entries. Send it in parts.");
        }
    }

    private void parseEntry(JsonParser parser, long start) throws IOException {
        try {
            if (!parser.hasToken(JsonToken.START_OBJECT)) {
                parser.skipChildren();
                throw new EntryException("", "not_an_object", "An entry must be a JSON object.");
            }
            entry.begin(defaults);
            EntryException broken = entry.read(parser);
            int size = (int) (parser.currentLocation().getByteOffset() - start);
            if (size > config.maxEntryBytes() && !config.oversizeTruncate()) {
                throw new EntryException(
                        "",
                        "entry_too_large",
                        "The entry has " + size + " bytes of JSON; at most " + config.maxEntryBytes() + " are taken.");
            }
            if (broken != null) {
                throw broken;
            }
            take(size);
        } catch (EntryException e) {
            rejected.add(new Rejection(index, e.field(), e.code(), e.reason(masking)));
        }
    }

    private void take(int size) throws EntryException {
        IncomingEntry from = incoming;
        entry.finish(nowMicros, from == null ? nowMicros : from.givenMicros());
        String executionId = executionId();
        byte[] senderId = null;
        UUID id = entry.fields.id;
        if (id == null && from != null) {
            id = from.id();
            entry.fields.id = id;
        }
        if (id == null) {
            entry.fields.id = ids.get();
        } else {
            senderId = new byte[2 * Long.BYTES];
            Bytes.putLong(senderId, 0, id.getMostSignificantBits());
            Bytes.putLong(senderId, Long.BYTES, id.getLeastSignificantBits());
        }
        if (size > config.maxEntryBytes()) {
            Oversize.cut(entry.fields, size, config.maxEntryBytes());
        }
        byte[] encoded = codec.encode(entry.fields);
        bytes += encoded.length;
        entries.add(
                new PendingEntry(index, executionId, entry.fields.workflowId, entry.fields.userId, senderId, encoded));
    }

    private String executionId() throws EntryException {
        String own = entry.executionId;
        String path = pathExecutionId;
        if (path != null) {
            if (own != null && !own.equals(path)) {
                throw new EntryException(
                        "execution_id", "execution_id_conflict", "execution_id is {} but the path says {}.", own, path);
            }
            return path;
        }
        if (own == null) {
            throw new EntryException(
                    "execution_id",
                    "missing_execution_id",
                    "execution_id is required: in the entry, in defaults, or in the path.");
        }
        return own;
    }

    private void parseLines(byte[] body) throws BodyException {
        int start = 0;
        while (start < body.length) {
            int end = start;
            while (end < body.length && body[end] != '\n') {
                end++;
            }
            if (!isBlank(body, start, end)) {
                checkCount();
                parseLine(body, start, end);
                index++;
            }
            start = end + 1;
        }
    }

    private static boolean isBlank(byte[] body, int start, int end) {
        for (int i = start; i < end; i++) {
            if (body[i] != ' ' && body[i] != '\t' && body[i] != '\r') {
                return false;
            }
        }
        return true;
    }

    private void parseLine(byte[] body, int start, int end) {
        int impossible = Utf8.impossibleAt(body, start, end);
        if (impossible >= 0) {
            reject("The line is not UTF-8 at byte " + (impossible - start) + ".");
            return;
        }
        int taken = entries.size();
        try (JsonParser parser = JSON.createParser(body, start, end - start)) {
            parser.nextToken();
            parseEntry(parser, parser.currentTokenLocation().getByteOffset());
            if (parser.nextToken() != null) {
                takeBack(taken);
                reject("There is more after the end of the entry; send one entry a line.");
            }
        } catch (IOException e) {
            takeBack(taken);
            reject("The line is not JSON: " + reason(e));
        }
    }

    /** An entry was read well, and then its line turned out to be broken behind it. */
    private void takeBack(int taken) {
        if (entries.size() > taken) {
            bytes -= entries.remove(taken).encoded().length;
        }
        rejected.removeIf(rejection -> rejection.index() == index);
    }

    private void reject(String reason) {
        rejected.add(new Rejection(index, "", "invalid_json", reason));
    }

    private static BodyException invalidJson(IOException e) {
        return new BodyException(400, "invalid_json", "The body is not JSON: " + reason(e) + " Nothing was taken.");
    }

    /** The parser's words and the place, without the pieces of the body it likes to quote: one may be a password. */
    private static String reason(IOException e) {
        if (e instanceof JsonProcessingException json) {
            JsonLocation at = json.getLocation();
            return Values.oneLine(QUOTED_WORD.matcher(json.getOriginalMessage()).replaceAll(""))
                    + (at == null ? "" : " at " + at(at)) + ".";
        }
        return Values.oneLine(String.valueOf(e.getMessage())) + ".";
    }

    private static String at(JsonLocation location) {
        return "line " + location.getLineNr() + ", column " + location.getColumnNr() + ", offset "
                + location.getByteOffset();
    }
}
