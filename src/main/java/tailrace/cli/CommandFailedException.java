package tailrace.cli;

/** A command cannot do what was asked. Its message is all that people need: what is wrong and what to do next. */
public final class CommandFailedException extends Exception {
    private static final long serialVersionUID = 1L;

    private final int exitCode;

    public CommandFailedException(String message) {
        this(message, 1);
    }

    /** @param exitCode one that the command's help explains */
    public CommandFailedException(String message, int exitCode) {
        super(message);
        this.exitCode = exitCode;
    }

    public CommandFailedException(String message, Throwable cause) {
        super(message, cause);
        this.exitCode = 1;
    }

    public int exitCode() {
        return exitCode;
    }
}
