package tailrace.cli;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongUnaryOperator;

/**
 * A server with the same API as Tailrace and no memory but the heap, whose faults a test can choose. One event loop
 * owns all its state; the knobs are set before the load begins.
 */
final class FakeTailrace implements AutoCloseable {
    static final String TOKEN = "test-token";

    private final Vertx vertx = Vertx.vertx();
    private final HttpServer server;
    private final Map<String, Execution> executions = new LinkedHashMap<>();
    private final Set<String> keys = new HashSet<>();
    private long posts;

    /** Milliseconds the answer to the n-th post waits, from 1. */
    volatile LongUnaryOperator delayMs = post -> 0;
    /** Status of the n-th post, 202 to take it. */
    volatile LongUnaryOperator status = post -> 202;
    /** Whether the n-th post is stored before a status other than 202 is sent. */
    volatile boolean storesRefused;
    /** Every n-th entry is acknowledged and forgotten; 0 for none. */
    volatile int losesEvery;
    /** Live readers get every n-th entry twice; 0 for none. */
    volatile int repeatsEvery;
    /** Live readers never get every n-th entry; 0 for none. */
    volatile int skipsEvery;
    /** KiB of heap that each execution costs; without any the heap has 50 MiB. */
    volatile int heapKibAnExecution = 10;
    /** Journal records PostgreSQL is behind; one less each time somebody asks. */
    volatile long lag;
    /** Whether {@code /v2/bench/empty} is there. */
    volatile boolean emptyEndpoint;

    /** All that was posted, by execution. */
    static final class Execution {
        final List<JsonObject> entries = new ArrayList<>();
        final Set<String> ids = new HashSet<>();
        final List<HttpServerResponse> readers = new ArrayList<>();
        String status = "NEW";
        long lastSeq;
    }

    FakeTailrace() throws Exception {
        server = vertx.createHttpServer(new HttpServerOptions().setMaxInitialLineLength(16_384))
                .requestHandler(this::handle)
                .listen(0, "127.0.0.1")
                .toCompletionStage()
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
    }

    String url() {
        return "http://127.0.0.1:" + server.actualPort();
    }

    /** The executions as they are at a moment, by id. */
    Map<String, List<JsonObject>> entries() throws Exception {
        var snapshot = new java.util.concurrent.CompletableFuture<Map<String, List<JsonObject>>>();
        vertx.runOnContext(ignored -> {
            Map<String, List<JsonObject>> copy = new LinkedHashMap<>();
            executions.forEach((id, execution) -> copy.put(id, List.copyOf(execution.entries)));
            snapshot.complete(copy);
        });
        return snapshot.get(10, TimeUnit.SECONDS);
    }

    private synchronized void handle(HttpServerRequest request) {
        if (!("Bearer " + TOKEN).equals(request.getHeader("Authorization"))) {
            request.response().setStatusCode(401).end("{}");
            return;
        }
        String[] path = request.path().substring(1).split("/", -1);
        String last = path[path.length - 1];
        if (request.path().equals("/v2/bench/empty")) {
            request.body().onSuccess(body -> request.response()
                    .setStatusCode(emptyEndpoint ? 202 : 404)
                    .end());
        } else if (request.path().equals("/metrics")) {
            long kib = 50 * 1024 + (long) heapKibAnExecution * executions.size();
            request.response()
                    .end("# TYPE jvm_memory_used_bytes gauge\n"
                            + "jvm_memory_used_bytes{area=\"heap\",id=\"G1 Eden Space\"} " + kib * 512.0 + "\n"
                            + "jvm_memory_used_bytes{area=\"heap\",id=\"G1 Old Gen\"} " + kib * 512.0 + "\n"
                            + "jvm_memory_used_bytes{area=\"nonheap\",id=\"Metaspace\"} 8.0E7\n"
                            + "jvm_buffer_memory_used_bytes{id=\"direct\"} 1048576.0\n");
        } else if (request.path().equals("/v2/logs/stats")) {
            JsonObject cursor = new JsonObject().put("cursor", "postgres").put("lag_records", lag);
            lag = Math.max(0, lag - 1);
            request.response()
                    .end(new JsonObject()
                            .put("cursors", new JsonArray().add(cursor))
                            .encode());
        } else if (request.path().equals("/v2/logs/batch")) {
            request.body().onSuccess(body -> post(request, body.toJsonObject()));
        } else if (last.equals("stream")) {
            stream(request, id(path[path.length - 3]));
        } else if (last.equals("logs")) {
            history(request, id(path[path.length - 2]));
        } else if (request.method().name().equals("PUT")) {
            request.body().onSuccess(body -> {
                execution(id(last)).status = body.toJsonObject().getString("status");
                request.response().end("{}");
            });
        } else {
            state(request, id(last));
        }
    }

    private static String id(String segment) {
        return URLDecoder.decode(segment, StandardCharsets.UTF_8);
    }

    private Execution execution(String id) {
        return executions.computeIfAbsent(id, key -> new Execution());
    }

    private synchronized void post(HttpServerRequest request, JsonObject body) {
        long number = ++posts;
        int code = (int) status.applyAsLong(number);
        String key = request.getHeader("Idempotency-Key");
        JsonObject answer = new JsonObject().put("accepted", 0).put("rejected", new JsonArray());
        if ((code == 202 || storesRefused) && (key == null || keys.add(key))) {
            answer = store(body);
        }
        String text = answer.encode();
        long delay = delayMs.applyAsLong(number);
        if (delay == 0) {
            request.response().setStatusCode(code).end(text);
        } else {
            vertx.setTimer(
                    delay, ignored -> request.response().setStatusCode(code).end(text));
        }
    }

    private JsonObject store(JsonObject body) {
        JsonObject defaults = body.getJsonObject("defaults", new JsonObject());
        Map<String, long[]> ranges = new HashMap<>();
        int accepted = 0;
        for (Object each : body.getJsonArray("entries")) {
            JsonObject entry = defaults.copy().mergeIn((JsonObject) each);
            String executionId = entry.getString("execution_id");
            Execution execution = execution(executionId);
            if (entry.containsKey("id") && !execution.ids.add(entry.getString("id"))) {
                continue;
            }
            long seq = ++execution.lastSeq;
            accepted++;
            ranges.computeIfAbsent(executionId, key -> new long[] {seq, seq})[1] = seq;
            entry.put("seq", seq);
            if (losesEvery == 0 || seq % losesEvery != 0) {
                execution.entries.add(entry);
            }
            live(execution, entry, seq);
        }
        JsonArray executionsJson = new JsonArray();
        ranges.forEach((id, range) -> executionsJson.add(new JsonObject()
                .put("execution_id", id)
                .put("first_seq", range[0])
                .put("last_seq", range[1])));
        return new JsonObject()
                .put("accepted", accepted)
                .put("rejected", new JsonArray())
                .put("dropped", 0)
                .put("executions", executionsJson);
    }

    private void live(Execution execution, JsonObject entry, long seq) {
        if (skipsEvery > 0 && seq % skipsEvery == 0) {
            return;
        }
        String frame = frame(entry);
        String sent = repeatsEvery > 0 && seq % repeatsEvery == 0 ? frame + frame : frame;
        execution.readers.forEach(reader -> reader.write(sent));
    }

    private static String frame(JsonObject entry) {
        return "id: " + entry.getLong("seq") + "\nevent: message\ndata: "
                + new JsonObject()
                        .put("event_type", "LOG")
                        .put("is_final", false)
                        .put("is_realtime", true)
                        .put("data", entry)
                        .encode()
                + "\n\n";
    }

    private synchronized void stream(HttpServerRequest request, String id) {
        HttpServerResponse response = request.response().setChunked(true);
        response.putHeader("Content-Type", "text/event-stream").write(": hello\n\nretry: 2000\n\n");
        Execution execution = execution(id);
        execution.entries.forEach(entry -> response.write(frame(entry)));
        execution.readers.add(response);
        response.closeHandler(gone -> execution.readers.remove(response));
    }

    private synchronized void state(HttpServerRequest request, String id) {
        Execution execution = executions.get(id);
        if (execution == null) {
            request.response().setStatusCode(404).end("{}");
            return;
        }
        request.response()
                .end(new JsonObject()
                        .put("execution_id", id)
                        .put("status", execution.status)
                        .put("total_logs", execution.lastSeq)
                        .put("last_seq", execution.lastSeq)
                        .encode());
    }

    private synchronized void history(HttpServerRequest request, String id) {
        long after = Long.parseLong(request.getParam("after_seq", "0"));
        int limit = Integer.parseInt(request.getParam("limit", "100"));
        JsonArray logs = new JsonArray();
        execution(id).entries.stream()
                .filter(entry -> entry.getLong("seq") > after)
                .limit(limit)
                .forEach(logs::add);
        request.response().setChunked(true);
        request.response().end(new JsonObject().put("logs", logs).encode());
    }

    @Override
    public void close() throws Exception {
        vertx.close().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }
}
