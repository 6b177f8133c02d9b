package tailrace.bus;

/** Every event-bus address. Messages are wake-ups and requests; nothing that must not be lost travels here alone. */
public final class Address {
    /** Request: {@link BusMessage.Append} or {@link BusMessage.Update}; answered by the sequencer after its fsync. */
    public static final String JOURNAL = "tailrace.journal";

    /** Published: {@link BusMessage.Appended}, after each group commit, to live streams and cursors. */
    public static final String APPENDED = "tailrace.appended";

    /** Published: {@link BusMessage.Flushed}, after each transaction of the writer. */
    public static final String FLUSHED = "tailrace.flushed";

    /** Published: {@link BusMessage.WriterState}, when PostgreSQL comes, goes, or the writer's lock changes hands. */
    public static final String WRITER_STATE = "tailrace.writer-state";

    /** Published: {@link BusMessage.LevelChanged}, when the level of degradation changes. */
    public static final String LEVEL = "tailrace.level";

    private Address() {}
}
