package tailrace.config;

import java.util.List;
import java.util.stream.Collectors;

/** The configuration cannot be used. Its message names every problem, one a line, and never a secret. */
public final class ConfigException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient List<String> problems;

    public ConfigException(List<String> problems) {
        super(problems.stream()
                .collect(Collectors.joining(
                        "\n  ",
                        "the configuration has " + (problems.size() == 1 ? "a problem" : problems.size() + " problems")
                                + ":\n  ",
                        "")));
        this.problems = List.copyOf(problems);
    }

    /** One sentence each: key, value, origin, what would be right. */
    public List<String> problems() {
        return problems;
    }
}
