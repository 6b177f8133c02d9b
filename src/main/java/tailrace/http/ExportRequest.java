package tailrace.http;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Locale;
import tailrace.export.ExportFormat;
import tailrace.query.HistoryQuery;

/**
 * What an export was asked for, checked.
 *
 * @param zone that times are told in
 * @param file whether the answer is a compressed file, as {@code gzip=true} asks for
 * @param encoded whether the answer is compressed on its way only
 */
record ExportRequest(
        String executionId, HistoryQuery query, ExportFormat format, ZoneId zone, boolean file, boolean encoded) {
    private static final int MAX_ZONE_CHARS = 64;
    /** Of the execution's id in the file's name; file systems allow 255 bytes for all of it. */
    private static final int MAX_NAME_CHARS = 50;

    static ExportRequest of(RoutingContext ctx) {
        ReadParameters parameters = ReadParameters.export(ctx.queryParams());
        ExportFormat format = parameters
                .text("format")
                .map(text -> {
                    ExportFormat named = ExportFormat.parse(text);
                    if (named == null) {
                        throw Problem.parameter("format", "must be ndjson, json, csv or txt");
                    }
                    return named;
                })
                .orElse(ExportFormat.NDJSON);
        boolean file = parameters.flag("gzip").orElse(false);
        return new ExportRequest(
                Reading.executionId(ctx),
                parameters.exportQuery(),
                format,
                parameters.text("tz").map(ExportRequest::zone).orElse(ZoneOffset.UTC),
                file,
                !file && acceptsGzip(ctx.request()));
    }

    boolean gzip() {
        return file || encoded;
    }

    private static ZoneId zone(String text) {
        if (!text.isEmpty() && text.length() <= MAX_ZONE_CHARS) {
            try {
                // A plus sign that was not encoded arrives as a space, which no zone's name has.
                return ZoneId.of(text.replace(' ', '+'));
            } catch (DateTimeException e) {
                // told below, with what is right
            }
        }
        throw Problem.parameter("tz", "must be a time zone such as Europe/Berlin, or an offset such as +02:00");
    }

    /** RFC 9110, 12.5.3, as far as it concerns the one coding there is. */
    private static boolean acceptsGzip(HttpServerRequest request) {
        boolean any = false;
        for (String header : request.headers().getAll(HttpHeaders.ACCEPT_ENCODING)) {
            for (String each : header.toLowerCase(Locale.ROOT).split(",", -1)) {
                String[] parts = each.split(";", -1);
                String coding = parts[0].strip();
                boolean accepted =
                        parts.length < 2 || !parts[1].replace(" ", "").matches("q=0(\\.0*)?");
                if (coding.equals("gzip") || coding.equals("x-gzip")) {
                    return accepted;
                }
                any |= coding.equals("*") && accepted;
            }
        }
        return any;
    }

    /**
     * The value of Content-Disposition (RFC 6266): a plain name for all, and the execution's own, percent-encoded, for
     * whoever reads it. Nothing of it can end the header or lead out of a directory.
     */
    String disposition() {
        String end = "." + format.wire() + (file ? ".gz" : "");
        StringBuilder plain = new StringBuilder("tailrace-");
        StringBuilder full = new StringBuilder("tailrace-");
        executionId.codePoints().limit(MAX_NAME_CHARS).forEach(point -> {
            boolean safe = point < 0x80 && (Character.isLetterOrDigit(point) || point == '-' || point == '.');
            plain.append(safe ? (char) point : '_');
            if (safe) {
                full.append((char) point);
            } else if (Character.isLetterOrDigit(point)) {
                for (byte one : Character.toString(point).getBytes(StandardCharsets.UTF_8)) {
                    full.append(String.format(Locale.ROOT, "%%%02X", one));
                }
            } else {
                full.append('_');
            }
        });
        return "attachment; filename=\"" + plain + end + "\"; filename*=UTF-8''" + full + end;
    }
}
