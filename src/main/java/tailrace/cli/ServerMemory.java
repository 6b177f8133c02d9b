package tailrace.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a server's memory holds, by its own metrics; of a process on this machine also what the system says. What is
 * garbage tells nothing, so it is collected first where the process is known; otherwise the least of the time that things
 * are given to settle is taken. Belongs to one thread.
 */
final class ServerMemory {
    private static final Pattern HEAP = Pattern.compile("^jvm_memory_used_bytes\\{[^}]*area=\"heap\"[^}]*} (\\S+)");
    private static final Pattern BUFFERS = Pattern.compile("^jvm_buffer_memory_used_bytes\\{[^}]*} (\\S+)");
    private static final Pattern RSS = Pattern.compile("(?m)^VmRSS:\\s+(\\d+) kB");
    private static final long SAMPLE_MS = 250;
    private static final int COLLECT_TIMEOUT_S = 60;
    private static final double MIB = 1 << 20;

    private final BenchTarget.Server server;
    private final OptionalLong pid;

    /** @param pid of the server's process, if it runs here and may be asked to collect its garbage */
    ServerMemory(BenchTarget.Server server, OptionalLong pid) {
        this.server = server;
        this.pid = pid;
    }

    /**
     * MiB.
     *
     * @param heap used by Java objects
     * @param buffers direct and mapped buffers of Java
     * @param rss of the whole process; 0 where it is not known
     */
    record Reading(double heap, double buffers, double rss) {
        void addTo(BenchReport report, String section) {
            report.add(section, "heap_after_gc_mib", heap).add(section, "java_buffers_mib", buffers);
            if (rss > 0) {
                report.add(section, "process_rss_mib", rss);
            }
        }
    }

    /**
     * What is held once things have settled for a while.
     *
     * @throws IOException if the server does not tell, or its garbage cannot be collected
     */
    Reading settled(int settleSeconds) throws IOException, InterruptedException {
        if (pid.isPresent()) {
            TimeUnit.SECONDS.sleep(settleSeconds);
            collect(pid.getAsLong());
            return sample();
        }
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(settleSeconds);
        Reading least = sample();
        while (System.nanoTime() < until) {
            TimeUnit.MILLISECONDS.sleep(SAMPLE_MS);
            Reading next = sample();
            least = next.heap() < least.heap() ? next : least;
        }
        return least;
    }

    private Reading sample() throws IOException {
        HttpConnection.Response response;
        // A new one each time: readings lie minutes apart, and the server ends what is idle.
        try (HttpConnection connection = new HttpConnection(server)) {
            response = connection.get(server, "/metrics");
        }
        if (response.status() != 200) {
            throw new IOException("/metrics answers " + response.status()
                    + "; METRICS_PORT must not be set on a server that is measured");
        }
        double heap = 0;
        double buffers = 0;
        for (String line : response.text().split("\n")) {
            heap += value(HEAP, line);
            buffers += value(BUFFERS, line);
        }
        if (heap == 0) {
            throw new IOException("/metrics has no jvm_memory_used_bytes");
        }
        return new Reading(heap / MIB, buffers / MIB, pid.isPresent() ? rss(pid.getAsLong()) : 0);
    }

    private static double value(Pattern pattern, String line) throws IOException {
        Matcher matcher = pattern.matcher(line);
        try {
            return matcher.find() ? Double.parseDouble(matcher.group(1)) : 0;
        } catch (NumberFormatException e) {
            throw new IOException("not a number in /metrics: " + HttpConnection.printable(line), e);
        }
    }

    private static double rss(long pid) throws IOException {
        Path status = Path.of("/proc", Long.toString(pid), "status");
        if (!Files.exists(status)) {
            return 0; // not Linux, or the process has ended; the next answer will show it
        }
        Matcher matcher = RSS.matcher(Files.readString(status));
        return matcher.find() ? Long.parseLong(matcher.group(1)) / 1024.0 : 0;
    }

    private static void collect(long pid) throws IOException, InterruptedException {
        Path beside = Path.of(System.getProperty("java.home"), "bin", "jcmd");
        String jcmd = Files.isExecutable(beside) ? beside.toString() : "jcmd";
        Process process = new ProcessBuilder(List.of(jcmd, Long.toString(pid), "GC.run"))
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(COLLECT_TIMEOUT_S, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IOException("jcmd " + pid + " GC.run does not end");
        }
        if (process.exitValue() != 0) {
            throw new IOException("jcmd " + pid + " GC.run: " + HttpConnection.printable(output.strip()));
        }
    }
}
