package tailrace.process;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;
import tailrace.openapi.CheckedClient;
import tailrace.openapi.Contract;

/**
 * A client as a service or a reader would write it, on the JDK's HTTP client: it shares no code with the server. What it
 * sends and gets is held against the OpenAPI document; what is wrong on purpose is sent with {@link #nonsense}.
 */
public final class Api {
    public static final ObjectMapper JSON = new ObjectMapper();

    /** Of a longer stream only some events are held against the document. */
    private static final int EVENTS_LOOKED_AT = 1_000;

    private final CheckedClient client;
    private final Supplier<URI> base;
    private final String token;

    public Api(URI base, String token) {
        this(() -> base, token);
    }

    /** @param base where the server is now; one that is started again may be elsewhere */
    public Api(Supplier<URI> base, String token) {
        this(
                base,
                token,
                CheckedClient.of(HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .connectTimeout(Duration.ofSeconds(10))
                        .build()));
    }

    private Api(Supplier<URI> base, String token, CheckedClient client) {
        this.base = base;
        this.token = token;
        this.client = client;
    }

    /** The same for requests that are wrong on purpose: their answers alone are held against the document. */
    public Api nonsense() {
        return new Api(base, token, client.nonsense());
    }

    public record Answer(int status, JsonNode body, HttpResponse<String> response) {}

    /** One SSE event; comments and retry lines are passed over. */
    public record Event(String id, JsonNode data) {
        public String type() {
            return data.get("event_type").asText();
        }

        public long seq() {
            return Long.parseLong(id);
        }
    }

    public HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(base.get().resolve(path))
                .header("Authorization", "Bearer " + token)
                .timeout(Duration.ofSeconds(60));
    }

    public Answer send(HttpRequest.Builder request) throws IOException, InterruptedException {
        HttpResponse<String> response = client.send(request.build(), BodyHandlers.ofString());
        String body = response.body();
        return new Answer(response.statusCode(), body.isEmpty() ? JSON.nullNode() : JSON.readTree(body), response);
    }

    public Answer get(String path) throws IOException, InterruptedException {
        return send(request(path));
    }

    public Answer post(String path, String json) throws IOException, InterruptedException {
        return send(request(path).header("Content-Type", "application/json").POST(BodyPublishers.ofString(json)));
    }

    public Answer put(String path, String json) throws IOException, InterruptedException {
        return send(request(path).header("Content-Type", "application/json").PUT(BodyPublishers.ofString(json)));
    }

    public static String encode(String segment) {
        return URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** All entries of an execution, page by page by cursor. */
    public List<JsonNode> history(String executionId) throws IOException, InterruptedException {
        List<JsonNode> all = new ArrayList<>();
        String path = "/v2/workflows/executions/" + encode(executionId) + "/logs?limit=1000";
        String cursor = "";
        while (true) {
            Answer page = get(path + cursor);
            if (page.status() != 200) {
                throw new IllegalStateException(page.status() + " " + page.body());
            }
            page.body().get("logs").forEach(all::add);
            if (!page.body().get("pagination").get("has_more").asBoolean()) {
                return all;
            }
            cursor = "&cursor="
                    + encode(page.body().get("pagination").get("next_cursor").asText());
        }
    }

    /** An open stream; close it to disconnect. */
    public final class Stream implements AutoCloseable {
        private final InputStream body;
        private final BufferedReader lines;
        private int events;
        public final int status;

        private Stream(HttpResponse<InputStream> response) {
            status = response.statusCode();
            body = response.body();
            lines = new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8));
        }

        /** The next event; null once the server has closed. */
        public Event next() throws IOException {
            String id = "";
            String data = null;
            for (String line; (line = lines.readLine()) != null; ) {
                if (line.startsWith("id: ")) {
                    id = line.substring(4);
                } else if (line.startsWith("data: ")) {
                    data = line.substring(6);
                } else if (line.isEmpty() && data != null) {
                    JsonNode event = JSON.readTree(data);
                    if (events++ < EVENTS_LOOKED_AT) {
                        Contract.served().event(event);
                    }
                    return new Event(id, event);
                }
            }
            return null;
        }

        /** Events up to the first that satisfies the condition, that one included. */
        public List<Event> until(Predicate<Event> last) throws IOException {
            List<Event> events = new ArrayList<>();
            for (Event event; (event = next()) != null; ) {
                events.add(event);
                if (last.test(event)) {
                    return events;
                }
            }
            throw new IOException("the stream ended after " + events.size() + " events");
        }

        @Override
        public void close() throws IOException {
            body.close();
        }
    }

    /** @param query such as {@code ?tail=5} */
    public Stream stream(String executionId, String query) throws IOException, InterruptedException {
        return open(request("/v2/executions/" + encode(executionId) + "/logs/stream" + query)
                .header("Accept", "text/event-stream"));
    }

    /** Of many executions. */
    public Stream streamOfMany(String query, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = request("/v2/logs/stream?" + query);
        return open(headers.length == 0 ? request : request.headers(headers));
    }

    public Stream streamAfter(String executionId, long lastEventId) throws IOException, InterruptedException {
        return open(request("/v2/executions/" + encode(executionId) + "/logs/stream")
                .header("Last-Event-ID", Long.toString(lastEventId)));
    }

    private Stream open(HttpRequest.Builder request) throws IOException, InterruptedException {
        return new Stream(client.send(request.build(), BodyHandlers.ofInputStream()));
    }
}
