package tailrace.ingest;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.util.Locale;
import tailrace.model.Timestamps;
import tailrace.model.Visible;

/** How single values are read and refused, whichever field they are of. */
final class Values {
    private static final BigDecimal MICROS_A_MILLI = BigDecimal.valueOf(1_000);
    // What four-digit years can say: 0001-01-01 to 9999-12-31, in microseconds.
    private static final long MIN_MICROS = -62_135_596_800_000_000L;
    private static final long MAX_MICROS = 253_402_300_799_999_999L;
    private static final int MAX_SHOWN_CHARS = 40;

    private Values() {}

    static EntryException wrongType(String field, String wanted, JsonParser parser) {
        String found =
                switch (parser.currentToken()) {
                    case START_OBJECT -> "an object";
                    case START_ARRAY -> "an array";
                    case VALUE_STRING -> "a string";
                    case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "a number";
                    default -> "true or false";
                };
        return new EntryException(field, "invalid_type", field + " is " + found + "; it must be " + wanted + ".");
    }

    /** A sender's value in an error, masked before: quoted, short, and without what could break a line. */
    static String shown(String value) {
        String cut = value.length() > MAX_SHOWN_CHARS ? value.substring(0, MAX_SHOWN_CHARS) + "…" : value;
        return '"' + Visible.line(cut).replace('"', '?') + '"';
    }

    /** A library's words as one line of an error: short, and without what could break it. */
    static String oneLine(String text) {
        String cut = text.length() > 160 ? text.substring(0, 160) + "…" : text;
        return Visible.line(cut.replaceAll("[\\s\\p{Cntrl}]+", " "));
    }

    private static BigDecimal number(String field, JsonParser parser) throws IOException, EntryException {
        if (!parser.currentToken().isNumeric()) {
            throw wrongType(field, "a number", parser);
        }
        String text = parser.getText();
        JsonCopier.checkRange(field, text);
        return new BigDecimal(text);
    }

    static int integer(String field, JsonParser parser) throws IOException, EntryException {
        BigDecimal number = number(field, parser);
        try {
            return number.intValueExact();
        } catch (ArithmeticException e) {
            throw new EntryException(
                    field,
                    "invalid_integer",
                    field + " is {}; use a whole number of at most 32 bits.",
                    parser.getText());
        }
    }

    static double finite(String field, JsonParser parser) throws IOException, EntryException {
        double value = number(field, parser).doubleValue();
        if (Double.isInfinite(value)) {
            throw new EntryException(field, "number_out_of_range", field + " is beyond the range of a double.");
        }
        return value + 0.0; // -0.0 and 0.0 are one number in JSON and should be one in every tier
    }

    /** A percentage in hundredths, rounded half up. */
    static int hundredths(String field, JsonParser parser) throws IOException, EntryException {
        BigDecimal number = number(field, parser);
        if (number.signum() < 0 || number.compareTo(BigDecimal.valueOf(100)) > 0) {
            throw new EntryException(field, "invalid_" + field, field + " is {}; use 0 to 100.", parser.getText());
        }
        return number.setScale(2, RoundingMode.HALF_UP).unscaledValue().intValueExact();
    }

    static String hex(String field, String text, int length) throws EntryException {
        String lower = text.toLowerCase(Locale.ROOT);
        boolean valid = lower.length() == length && !lower.chars().allMatch(c -> c == '0');
        for (int i = 0; valid && i < length; i++) {
            valid = Character.digit(lower.charAt(i), 16) >= 0 && lower.charAt(i) < 128;
        }
        if (!valid) {
            throw new EntryException(
                    field,
                    "invalid_" + field,
                    field + " is {}; use " + length + " hexadecimal digits, not all zero (W3C).",
                    text);
        }
        return lower;
    }

    /** Epoch microseconds of an ISO 8601 text with offset, or of epoch milliseconds. */
    static long timestamp(String field, JsonParser parser) throws IOException, EntryException {
        long micros;
        if (parser.hasToken(JsonToken.VALUE_STRING)) {
            try {
                micros =
                        Timestamps.micros(OffsetDateTime.parse(parser.getText()).toInstant());
            } catch (DateTimeException | ArithmeticException e) {
                throw invalidTimestamp(field, parser.getText());
            }
        } else {
            BigDecimal scaled = number(field, parser).multiply(MICROS_A_MILLI);
            if (scaled.abs().compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) {
                throw invalidTimestamp(field, parser.getText());
            }
            micros = scaled.setScale(0, RoundingMode.FLOOR).longValueExact();
        }
        if (micros < MIN_MICROS || micros > MAX_MICROS) {
            throw invalidTimestamp(field, parser.getText());
        }
        return micros;
    }

    private static EntryException invalidTimestamp(String field, String text) {
        return new EntryException(
                field,
                "invalid_timestamp",
                field + " is {}; use ISO 8601 with offset, such as 2026-01-31T12:00:00.5Z, or epoch milliseconds.",
                text);
    }
}
