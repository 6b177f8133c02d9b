package tailrace.cli;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import tailrace.model.Visible;

/** Text on its way to a terminal, line by line: what a terminal would obey is shown and not obeyed. */
final class TerminalOutput extends OutputStream {
    /** A line that does not end is shown in parts. */
    private static final int MAX_LINE_BYTES = 1 << 20;

    private final PrintStream terminal;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    TerminalOutput(PrintStream terminal) {
        this.terminal = terminal;
    }

    @Override
    public void write(int one) {
        if (one == '\n') {
            show("\n");
        } else {
            line.write(one);
            if (line.size() >= MAX_LINE_BYTES) {
                show("");
            }
        }
    }

    private void show(String end) {
        String text = line.toString(StandardCharsets.UTF_8);
        line.reset();
        terminal.print(Visible.lines(text.endsWith("\r") ? text.substring(0, text.length() - 1) : text) + end);
    }

    @Override
    public void flush() {
        show("");
        terminal.flush();
    }
}
