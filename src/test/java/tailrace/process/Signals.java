package tailrace.process;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Signals to a server and the processes it has started. */
final class Signals {
    private Signals() {}

    /** SIGSTOP to all of them; the one that starts others first, so that none is added. They go on with {@link #thaw}. */
    static List<ProcessHandle> freeze(ProcessHandle parent) throws IOException, InterruptedException {
        send("STOP", List.of(parent));
        List<ProcessHandle> all = new ArrayList<>(List.of(parent));
        parent.descendants().forEach(all::add);
        send("STOP", all);
        return all;
    }

    static void thaw(List<ProcessHandle> frozen) throws IOException, InterruptedException {
        send("CONT", frozen);
    }

    /** @param name as {@code kill} knows it; processes that are gone are passed over */
    static void send(String name, List<ProcessHandle> processes) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("kill", "-" + name));
        processes.stream().filter(ProcessHandle::isAlive).forEach(process -> command.add(Long.toString(process.pid())));
        if (command.size() > 2) {
            new ProcessBuilder(command).inheritIO().start().waitFor();
        }
    }
}
