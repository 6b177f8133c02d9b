package tailrace.cli;

import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import tailrace.config.ConfigLoader;
import tailrace.config.TailraceConfig;

/** {@code --config}, for every command that works on this machine's server or data directory. */
final class ConfigOption {
    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "YAML of configuration keys; the environment goes over it.")
    private @Nullable Path file;

    /**
     * Reads the configuration and sets logging up by it.
     *
     * @throws tailrace.config.ConfigException naming every problem
     */
    TailraceConfig load() {
        TailraceConfig config = ConfigLoader.load(System.getenv(), Optional.ofNullable(file));
        Logs.configure(config.logging());
        return config;
    }
}
