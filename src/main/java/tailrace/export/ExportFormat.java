package tailrace.export;

import java.io.OutputStream;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The files an export can be. */
public enum ExportFormat {
    /** An entry a line, as history gives it. */
    NDJSON("application/x-ndjson"),
    /** One document. */
    JSON("application/json"),
    /** RFC 4180. */
    CSV("text/csv; charset=utf-8; header=present"),
    /** For people. */
    TXT("text/plain; charset=utf-8");

    private final String wire = name().toLowerCase(Locale.ROOT);
    private final String contentType;

    ExportFormat(String contentType) {
        this.contentType = contentType;
    }

    /** The name in requests, and of files of this format. */
    public String wire() {
        return wire;
    }

    public String contentType() {
        return contentType;
    }

    /** The format of that name, or null. */
    public static @Nullable ExportFormat parse(String text) {
        for (ExportFormat format : values()) {
            if (format.wire.equals(text)) {
                return format;
            }
        }
        return null;
    }

    EntryFormat to(OutputStream out, String executionId, ZonedTimes times) {
        return switch (this) {
            case NDJSON -> new JsonFormat(out, executionId, times, false);
            case JSON -> new JsonFormat(out, executionId, times, true);
            case CSV -> new CsvFormat(out, executionId, times);
            case TXT -> new TextFormat(out, times);
        };
    }
}
