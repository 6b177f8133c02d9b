package tailrace.process;

import java.util.List;

/** A server that Tailrace writes to, to which a test may do anything. All of it blocks. */
interface Store extends AutoCloseable {
    String name();

    /** Where it listens now; another one after each {@link #start}. */
    int port();

    /** Starts it after {@link #stop} or {@link #kill}, with what it kept. */
    void start() throws Exception;

    /** Ends it in order. */
    void stop() throws Exception;

    /** Ends it by SIGKILL, all processes of it. */
    void kill() throws Exception;

    void freeze() throws Exception;

    void thaw() throws Exception;

    /**
     * What only this kind of store can suffer.
     *
     * @param restart starts it again, and leads the link to it
     */
    default List<Fault> ownFaults(Fault.Step restart) {
        return List.of();
    }
}
