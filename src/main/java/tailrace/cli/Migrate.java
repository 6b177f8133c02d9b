package tailrace.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code tailrace migrate}: brings the database's schema up to date, as {@code serve} does at its start. */
@Command(
        name = "migrate",
        description = "Bring the database schema up to date; serve does the same when it starts.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
final class Migrate implements Callable<Integer> {
    @Mixin
    private final ConfigOption options = new ConfigOption();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        spec.commandLine().getOut().println(Server.migrate(options.load()));
        return 0;
    }
}
