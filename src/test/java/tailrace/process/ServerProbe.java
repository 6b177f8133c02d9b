package tailrace.process;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How a server is, as its operators see it: health, metrics, memory. */
final class ServerProbe {
    private static final Pattern RSS = Pattern.compile("VmRSS:\\s+(\\d+) kB");

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final ServerProcess server;

    ServerProbe(ServerProcess server) {
        this.server = server;
    }

    private String get(String path) throws IOException, InterruptedException {
        URI uri = server.base().resolve(path);
        HttpRequest request =
                HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(10)).build();
        return client.send(request, BodyHandlers.ofString()).body();
    }

    JsonNode health() throws IOException, InterruptedException {
        return Api.JSON.readTree(get("/health"));
    }

    int level() throws IOException, InterruptedException {
        return health().get("level").asInt();
    }

    /** The sum over all label values of a metric. */
    double metric(String name) throws IOException, InterruptedException {
        return get("/metrics")
                .lines()
                .filter(line -> line.startsWith(name + " ") || line.startsWith(name + "{"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    int liveStreams() throws IOException, InterruptedException {
        return (int) metric("tailrace_live_streams");
    }

    /** All memory of the process, Java's and native, in MiB; what the JVM says of itself where there is no /proc. */
    long memoryMib() throws IOException, InterruptedException {
        Path status = Path.of("/proc", Long.toString(server.pid()), "status");
        if (Files.exists(status)) {
            Matcher rss = RSS.matcher(Files.readString(status));
            if (rss.find()) {
                return Long.parseLong(rss.group(1)) >> 10;
            }
        }
        return (long) (metric("jvm_memory_used_bytes") + metric("jvm_buffer_memory_used_bytes")) >> 20;
    }
}
