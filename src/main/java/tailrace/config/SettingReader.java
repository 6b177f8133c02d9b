package tailrace.config;

import java.math.BigInteger;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Turns text into values. A value that cannot be used is noted as a problem and a harmless one returned in its place, so
 * that one run finds every problem; the result is thrown away then.
 */
final class SettingReader {
    private final Map<ConfigKey, Setting> settings;
    private final List<String> problems;

    SettingReader(Map<ConfigKey, Setting> settings, List<String> problems) {
        this.settings = new EnumMap<>(settings);
        this.problems = problems;
    }

    Setting setting(ConfigKey key) {
        Setting setting = settings.get(key);
        return setting == null ? new Setting(key, List.of(), "not set") : setting;
    }

    void problem(ConfigKey key, String whatWouldBeRight) {
        problems.add(setting(key).problem(whatWouldBeRight));
    }

    /** Blank counts as unset: compose files pass variables they do not have as empty ones. */
    Optional<String> text(ConfigKey key) {
        Setting setting = setting(key);
        if (setting.values().size() > 1) {
            problem(key, "must be one value, not a list");
        }
        return setting.values().stream().findFirst().map(String::strip).filter(text -> !text.isEmpty());
    }

    List<String> list(ConfigKey key) {
        return setting(key).values();
    }

    int integer(ConfigKey key, int min, int max) {
        return optionalInteger(key, min, max).orElseGet(() -> missing(key, min));
    }

    Optional<Integer> optionalInteger(ConfigKey key, int min, int max) {
        return text(key).map(text -> {
            if (text.matches("[+-]?\\d{1,18}")) {
                long value = new BigInteger(text).longValue();
                if (value >= min && value <= max) {
                    return (int) value;
                }
            }
            problem(key, "must be a whole number from " + min + " to " + max);
            return min;
        });
    }

    /** @param bareUnit what a number without a unit counts */
    Duration duration(ConfigKey key, Duration bareUnit, Duration min, Duration max) {
        return text(key)
                .map(text -> Quantity.duration(text, bareUnit)
                        .filter(value -> value.compareTo(min) >= 0 && value.compareTo(max) <= 0)
                        .orElseGet(() -> {
                            problem(
                                    key,
                                    "must be a duration from " + Quantity.format(min) + " to " + Quantity.format(max)
                                            + ", such as 500ms, 10s or 2h; a bare number counts "
                                            + (bareUnit.toMillis() == 1 ? "milliseconds" : "seconds"));
                            return min;
                        }))
                .orElseGet(() -> missing(key, min));
    }

    long bytes(ConfigKey key, long min, long max) {
        return text(key)
                .map(text -> Quantity.bytes(text)
                        .filter(value -> value >= min && value <= max)
                        .orElseGet(() -> {
                            problem(
                                    key,
                                    "must be a size from " + Quantity.format(min) + " to " + Quantity.format(max)
                                            + ", such as 512KiB, 64MiB or 10GiB; a bare number counts bytes");
                            return min;
                        }))
                .orElseGet(() -> missing(key, min));
    }

    /** A limit that is off where it is not set. */
    OptionalLong optionalBytes(ConfigKey key, long min, long max) {
        return text(key).isPresent() ? OptionalLong.of(bytes(key, min, max)) : OptionalLong.empty();
    }

    Path path(ConfigKey key, String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            problem(key, "must be a path of this system");
            return Path.of("");
        }
    }

    boolean flag(ConfigKey key) {
        return choice(key, Map.of("on", true, "true", true, "off", false, "false", false));
    }

    /** One of the named constants, in any case. */
    <E extends Enum<E>> E choice(ConfigKey key, Class<E> type) {
        return choice(
                key,
                Arrays.stream(type.getEnumConstants())
                        .collect(Collectors.toMap(each -> each.name().toLowerCase(Locale.ROOT), Function.identity())));
    }

    private <T> T choice(ConfigKey key, Map<String, T> choices) {
        String names = choices.keySet().stream().sorted().collect(Collectors.joining(", "));
        T any = choices.values().iterator().next();
        return text(key)
                .map(text -> {
                    T value = choices.get(text.toLowerCase(Locale.ROOT));
                    if (value == null) {
                        problem(key, "must be one of " + names);
                    }
                    return value == null ? any : value;
                })
                .orElseGet(() -> missing(key, any));
    }

    private <T> T missing(ConfigKey key, T instead) {
        problem(key, "has no default and must be set");
        return instead;
    }
}
