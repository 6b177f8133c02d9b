package tailrace.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A line on stderr that says once a second how far a long command is. On a terminal it is rewritten in place. The lines
 * are made on a thread of its own, so their making costs the measured threads nothing.
 */
final class Progress implements AutoCloseable {
    private static final long INTERVAL_MS = 1_000;
    private static final int BAR_WIDTH = 20;
    static final int STDOUT = 1;
    private static final int STDERR = 2;

    private final PrintStream out;
    private final boolean shown;
    private final boolean rewrite;
    private volatile @Nullable Supplier<String> line;
    private @Nullable Thread thread;

    /** When progress is shown; named as the user types it. */
    enum Mode {
        auto,
        plain,
        off
    }

    private Progress(PrintStream out, boolean shown, boolean rewrite) {
        this.out = out;
        this.shown = shown;
        this.rewrite = rewrite;
    }

    static Progress to(PrintStream out, Mode mode) {
        boolean terminal = mode == Mode.auto && terminal(STDERR);
        return new Progress(out, mode == Mode.plain || terminal, terminal);
    }

    /**
     * Whether a descriptor of this process is a terminal. {@code System.console()} asks about stdin and stdout alike, of
     * which one is often redirected where the other is not.
     */
    static boolean terminal(int descriptor) {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor))
                    .toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
        } catch (IOException | UnsupportedOperationException e) {
            return System.console() != null; // no /proc: not Linux
        }
    }

    /**
     * A line with a bar, what was done, how fast, and how long the rest will take.
     *
     * @param what is done, such as {@code replay}
     * @param unit of the counts, such as {@code rows}
     * @param elapsedNanos since the first of them
     */
    static String bar(String what, String unit, long done, long total, long elapsedNanos) {
        double share = total <= 0 ? 1 : Math.min(1.0, (double) done / total);
        double perSecond = done / Math.max(1e-9, elapsedNanos / 1e9);
        int filled = (int) (share * BAR_WIDTH);
        String left = perSecond < 1 ? "…" : Long.toString((long) Math.ceil(Math.max(0, total - done) / perSecond));
        return String.format(
                Locale.ROOT,
                "%s [%s%s] %.0f %%  %,d of %,d %s, %,.0f %s/s, %s s to go",
                what,
                "#".repeat(filled),
                ".".repeat(BAR_WIDTH - filled),
                Math.floor(share * 100),
                done,
                total,
                unit,
                perSecond,
                unit,
                left);
    }

    /** Whether anybody sees it. */
    boolean shown() {
        return shown;
    }

    /** Shows another line from now on; {@code line} is called from the progress thread. */
    void show(Supplier<String> newLine) {
        line = newLine;
        if (shown && thread == null) {
            thread = new Thread(this::run, "progress");
            thread.setDaemon(true);
            thread.start();
        }
    }

    private void run() {
        try {
            while (!Thread.currentThread().isInterrupted()) {
                Thread.sleep(INTERVAL_MS);
                Supplier<String> current = line;
                if (current != null) {
                    out.print(rewrite ? "\r\u001b[K" + current.get() : current.get() + System.lineSeparator());
                    out.flush();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // closed: nothing more to show
        }
    }

    @Override
    public void close() {
        Thread running = thread;
        if (running != null) {
            running.interrupt();
            if (rewrite) {
                out.print("\r\u001b[K");
                out.flush();
            }
        }
    }
}
