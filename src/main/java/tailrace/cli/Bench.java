package tailrace.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code bench}: load against a running server, on this machine unless told otherwise; {@code bench recover}, {@code
 * bench masking} and {@code bench search-index} need none.
 */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        description = "Measures a running server and checks that it lost nothing.",
        subcommands = {
            BenchIngest.class,
            BenchStream.class,
            BenchRecover.class,
            BenchMemory.class,
            BenchSeed.class,
            BenchRead.class,
            BenchMasking.class,
            BenchSearchIndex.class
        })
public final class Bench implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before any command runs
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "What is to be measured? bench ingest, bench stream, bench seed, bench read, bench recover, bench memory,"
                        + " bench masking, or bench search-index");
    }
}
