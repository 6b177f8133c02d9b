package tailrace.cli;

/** A command cannot do what was asked. Its message is all that people need: what is wrong and what to do next. */
public final class CommandFailedException extends Exception {
    private static final long serialVersionUID = 1L;

    public CommandFailedException(String message) {
        super(message);
    }

    public CommandFailedException(String message, Throwable cause) {
        super(message, cause);
    }
}
