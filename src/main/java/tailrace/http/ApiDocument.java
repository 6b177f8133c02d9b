package tailrace.http;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.snakeyaml.engine.v2.api.Dump;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.common.FlowStyle;

/**
 * The OpenAPI document of this server, put together from the files in {@code openapi/}, each of which is a piece of it.
 * What is said twice is a mistake in the files, and loading fails.
 */
public final class ApiDocument {
    /** In the order in which their paths are shown. */
    private static final List<String> FILES = List.of(
            "tailrace.yaml",
            "ingest.yaml",
            "executions.yaml",
            "history.yaml",
            "live.yaml",
            "search.yaml",
            "workflows.yaml",
            "sessions.yaml",
            "operations.yaml",
            "common.yaml",
            "schemas.yaml");

    private static final int MAX_LINE_CHARS = 120;
    private static final int ETAG_BYTES = 16;

    private final JsonObject json;
    private final Representation asJson;
    private final Representation asYaml;

    /** One form of it, as it is sent. */
    record Representation(String contentType, Buffer body, String etag) {}

    private ApiDocument(Map<String, Object> document) {
        json = new JsonObject(document);
        asJson = representation("application/json", json.toBuffer());
        var settings = DumpSettings.builder()
                .setDefaultFlowStyle(FlowStyle.BLOCK)
                .setWidth(MAX_LINE_CHARS)
                .build();
        asYaml = representation("application/yaml", Buffer.buffer(new Dump(settings).dumpToString(document)));
    }

    /**
     * Reads the files off the class path; takes some ten milliseconds, so not for an event loop.
     *
     * @param version of this build
     */
    public static ApiDocument load(String version) {
        Map<String, Object> document = new LinkedHashMap<>();
        for (String file : FILES) {
            merge(document, read("openapi/" + file), file);
        }
        if (document.get("info") instanceof Map<?, ?> info) {
            document.put("info", with(info, "version", version));
        }
        return new ApiDocument(document);
    }

    private static Map<?, ?> read(String resource) {
        LoadSettings settings = LoadSettings.builder()
                .setLabel(resource)
                .setAllowDuplicateKeys(false)
                .setMaxAliasesForCollections(1_000)
                .build();
        try (InputStream in = ApiDocument.class.getClassLoader().getResourceAsStream(resource)) {
            if (in != null && new Load(settings).loadFromInputStream(in) instanceof Map<?, ?> piece) {
                return piece;
            }
            throw new IllegalStateException(resource + " is not there, or no mapping");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @SuppressWarnings("unchecked") // every map in the document was made here
    private static void merge(Map<String, Object> into, Map<?, ?> piece, String where) {
        piece.forEach((key, value) -> {
            String name = String.valueOf(key);
            Object known = into.get(name);
            if (known == null) {
                into.put(name, copy(value));
            } else if (known instanceof Map<?, ?> && value instanceof Map<?, ?> more) {
                merge((Map<String, Object>) known, more, where + "/" + name);
            } else {
                throw new IllegalStateException(where + "/" + name + " is said twice");
            }
        });
    }

    /** Of its own: where a file says a thing once and names it again, it is one object there. */
    private static Object copy(Object value) {
        if (value instanceof Map<?, ?> map) {
            Map<String, Object> copy = new LinkedHashMap<>();
            map.forEach((key, member) -> copy.put(String.valueOf(key), copy(member)));
            return copy;
        }
        if (value instanceof List<?> list) {
            List<Object> copy = new ArrayList<>();
            list.forEach(item -> copy.add(copy(item)));
            return copy;
        }
        return value;
    }

    private static Map<String, Object> with(Map<?, ?> map, String name, Object value) {
        Map<String, Object> changed = new LinkedHashMap<>();
        map.forEach((key, member) -> changed.put(String.valueOf(key), member));
        changed.put(name, value);
        return changed;
    }

    private static Representation representation(String contentType, Buffer body) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(body.getBytes());
            return new Representation(contentType, body, '"' + HexFormat.of().formatHex(digest, 0, ETAG_BYTES) + '"');
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** The document itself; not to be changed. */
    public JsonObject json() {
        return json;
    }

    Representation asJson() {
        return asJson;
    }

    Representation asYaml() {
        return asYaml;
    }
}
