package tailrace.cli;

import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tailrace.model.JsonWriter;

/** {@code bench seed}: fills a running server with what {@link BenchRead} reads. */
@Command(
        name = "seed",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Fills a running server with one large execution and many small ones, all of one workflow, and waits until"
                    + " PostgreSQL has what is kept there. Every batch has an idempotency key: run again within 24 hours,"
                    + " it adds only what is missing.",
            "Exits with 1 if a batch is not taken or PostgreSQL does not catch up.",
            ""
        })
final class BenchSeed implements Callable<Integer> {
    private static final int BATCH = 1_000;
    /** Of one batch, while the server says that it takes nothing now. */
    private static final Duration PATIENCE = Duration.ofMinutes(10);

    private static final long RETRY_MS = 1_000;
    /** Without any progress of PostgreSQL. */
    private static final Duration CATCH_UP_PATIENCE = Duration.ofMinutes(5);

    @Mixin
    private BenchTarget target = new BenchTarget();

    @Mixin
    private SeedOptions seed = new SeedOptions();

    @Option(
            names = "--connections",
            defaultValue = "4",
            description = "Connections that send (default: ${DEFAULT-VALUE}).")
    private int connections;

    @Option(
            names = "--friendly",
            defaultValue = "0.1",
            description = "Share of the small executions' entries that PostgreSQL keeps for their message; of the large"
                    + " one it keeps all (default: ${DEFAULT-VALUE}).")
    private double friendly;

    /** An execution to be filled. */
    private record Task(SeedWorkload workload, String execution, int salt, int entries) {}

    @Override
    public Integer call() throws InterruptedException {
        BenchTarget.Server server = target.server();
        seed.check(target);
        target.within("--connections", connections, 1, 100);
        target.within("--friendly", friendly, 0, 1);
        BenchReport report = new BenchReport("bench seed").add("run", "server", server.toString());
        report.add("run", "prefix", seed.prefix)
                .add("run", "large_entries", seed.largeEntries)
                .add("run", "executions", seed.executions)
                .add("run", "entries_each", seed.entries);
        try (Progress progress = target.progress()) {
            fill(server, report, progress);
            waitForPostgres(server, report, progress);
        } catch (IOException e) {
            report.fail(HttpConnection.printable(String.valueOf(e.getMessage())));
        }
        return target.print(report);
    }

    private List<Task> tasks() {
        var tasks = new ArrayList<Task>();
        var kept = new SeedWorkload(seed.prefix, 1);
        var some = new SeedWorkload(seed.prefix, friendly);
        if (seed.largeEntries > 0) {
            tasks.add(new Task(kept, kept.largeExecution(), 0, seed.largeEntries));
        }
        for (int i = 0; i < seed.executions; i++) {
            tasks.add(new Task(some, some.execution(i), i + 1, seed.entries));
        }
        return tasks;
    }

    private void fill(BenchTarget.Server server, BenchReport report, Progress progress)
            throws IOException, InterruptedException {
        List<Task> tasks = tasks();
        long total = seed.largeEntries + (long) seed.executions * seed.entries;
        var sent = new AtomicLong();
        var next = new AtomicInteger();
        long began = System.nanoTime();
        progress.show(() -> Progress.bar("seed", "entries", sent.get(), total, System.nanoTime() - began));
        ExecutorService pool = Executors.newFixedThreadPool(connections, task -> {
            Thread thread = new Thread(task, "bench-seed");
            thread.setDaemon(true);
            return thread;
        });
        try {
            List<Callable<Void>> workers = new ArrayList<>();
            for (int i = 0; i < connections; i++) {
                workers.add(() -> {
                    try (var connection = new HttpConnection(server)) {
                        for (int at = next.getAndIncrement(); at < tasks.size(); at = next.getAndIncrement()) {
                            fill(connection, server, tasks.get(at), sent);
                        }
                    }
                    return null;
                });
            }
            for (Future<Void> worker : pool.invokeAll(workers)) {
                worker.get();
            }
        } catch (ExecutionException e) {
            throw new IOException("a connection gave up: " + e.getCause(), e);
        } finally {
            pool.shutdownNow();
        }
        double seconds = (System.nanoTime() - began) / 1e9;
        report.add("seed", "entries", sent.get())
                .add("seed", "seconds", seconds)
                .add("seed", "entries_per_second", sent.get() / seconds);
    }

    private static void fill(HttpConnection connection, BenchTarget.Server server, Task task, AtomicLong sent)
            throws IOException, InterruptedException {
        var json = new JsonWriter();
        for (int from = 0; from < task.entries; from += BATCH) {
            int count = Math.min(BATCH, task.entries - from);
            task.workload.batch(json, task.execution, task.salt, from, count, task.entries);
            post(connection, server, task.execution + '/' + task.entries + '/' + from, json);
            sent.addAndGet(count);
        }
    }

    /** Until the batch is taken whole; refusals that pass are waited for. */
    private static void post(HttpConnection connection, BenchTarget.Server server, String key, JsonWriter json)
            throws IOException, InterruptedException {
        byte[] head = HttpConnection.head(
                "POST",
                server.path("/v2/logs/batch"),
                server,
                "Content-Type: application/json\r\nIdempotency-Key: " + key + "\r\nContent-Length: " + json.length()
                        + "\r\n");
        byte[] request = Arrays.copyOf(head, head.length + json.length());
        System.arraycopy(json.array(), 0, request, head.length, json.length());
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            HttpConnection.Response answer = connection.exchange(request, request.length);
            if (answer.status() == 202) {
                JsonObject body = json(answer);
                if (!body.getJsonArray("rejected").isEmpty() || body.getInteger("dropped", 0) > 0) {
                    throw new IOException("not all of a batch was taken: " + body.encode());
                }
                return;
            }
            boolean passing = answer.status() == 429 || answer.status() == 503;
            if (!passing || System.nanoTime() > deadline) {
                throw new IOException("status " + answer.status() + ' ' + answer.text());
            }
            Thread.sleep(RETRY_MS);
        }
    }

    private static void waitForPostgres(BenchTarget.Server server, BenchReport report, Progress progress)
            throws IOException, InterruptedException {
        long began = System.nanoTime();
        var behind = new AtomicLong(Long.MAX_VALUE);
        progress.show(() -> String.format("waiting for PostgreSQL: %,d journal records behind", behind.get()));
        long progressed = began;
        try (var connection = new HttpConnection(server)) {
            while (true) {
                long now = lag(json(connection.get(server, "/v2/logs/stats")));
                if (now == 0) {
                    report.add("postgres", "caught_up_after_s", (System.nanoTime() - began) / 1e9);
                    return;
                }
                if (now < behind.getAndSet(now)) {
                    progressed = System.nanoTime();
                } else if (System.nanoTime() - progressed > CATCH_UP_PATIENCE.toNanos()) {
                    throw new IOException("PostgreSQL is " + now + " journal records behind and does not move");
                }
                Thread.sleep(RETRY_MS);
            }
        }
    }

    private static long lag(JsonObject stats) throws IOException {
        JsonArray cursors = stats.getJsonArray("cursors", new JsonArray());
        for (int i = 0; i < cursors.size(); i++) {
            JsonObject cursor = cursors.getJsonObject(i);
            if ("postgres".equals(cursor.getString("cursor"))) {
                return cursor.getLong("lag_records");
            }
        }
        throw new IOException("/v2/logs/stats tells no cursor of PostgreSQL: " + stats.encode());
    }

    static JsonObject json(HttpConnection.Response answer) throws IOException {
        if (answer.status() >= 300) {
            throw new IOException("status " + answer.status() + ' ' + answer.text());
        }
        try {
            return new JsonObject(new String(answer.body(), StandardCharsets.UTF_8));
        } catch (DecodeException e) {
            throw new IOException("no JSON: " + answer.text(), e);
        }
    }
}
