package tailrace.cli;

import java.time.Duration;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;
import tailrace.config.Quantity;

/** Durations on the command line are written as in the configuration; a bare number counts seconds. */
final class DurationConverter implements ITypeConverter<Duration> {
    @Override
    public Duration convert(String text) {
        return Quantity.duration(text, Duration.ofSeconds(1))
                .orElseThrow(
                        () -> new TypeConversionException("'" + text + "' is no duration such as 90s, 12h or 30d"));
    }
}
