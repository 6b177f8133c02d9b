package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.TestDatabase;

/**
 * Two tenants and one connection for all readers: neither ever sees anything of the other's, and what is the other's
 * looks like what there is not. On the embedded PostgreSQL, whose owner is no superuser.
 */
class TwoTenantsIT {
    private static final int REQUESTS = Soak.times(1_000, 10_000);
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /**
     * Every endpoint that shows somebody something.
     *
     * @param path {@code {e}} is an execution's id, {@code {w}} a workflow's
     */
    private record Endpoint(String name, String path) {
        /** What is answered about another's: recent logs of no execution are no logs. */
        int foreignStatus() {
            return path.contains("/recent_logs") ? 200 : 404;
        }

        /** Whether it is about one thing, which may be another's. */
        boolean aboutOne() {
            return path.contains("{");
        }

        String of(String executionId, String workflowId) {
            return path.replace("{e}", executionId).replace("{w}", workflowId);
        }
    }

    private static final List<Endpoint> ENDPOINTS = List.of(
            new Endpoint("history", "/api/v1/app/executions/{e}/logs?limit=2"),
            new Endpoint("history, filtered", "/v2/workflows/executions/{e}/logs?order=desc&min_level=error"),
            new Endpoint("stream", "/v2/executions/{e}/logs/stream?follow=false"),
            new Endpoint("tail", "/api/v1/app/executions/{e}/logs/stream?follow=false&tail=2"),
            new Endpoint("execution", "/v2/executions/{e}"),
            new Endpoint("workflow", "/v2/workflows/{w}"),
            new Endpoint("history, searched", "/v2/workflows/executions/{e}/logs?q=secret&count=false"),
            new Endpoint("around", "/v2/workflows/executions/{e}/logs?around_seq=2"),
            new Endpoint("socket", "/v2/executions/{e}/logs/ws?follow=false"),
            new Endpoint("many streams", "/v2/logs/stream?execution_id={e}&follow=false"),
            new Endpoint("summary", "/v2/executions/{e}/logs/summary"),
            new Endpoint("export", "/v2/executions/{e}/logs/export?format=csv"),
            new Endpoint("export as text", "/api/v1/app/executions/{e}/logs/export?format=txt"),
            new Endpoint("diff", "/v2/executions/{e}/logs/diff?against={e}"),
            new Endpoint("recent", "/api/v1/app/executions/recent_logs?workflow_id={w}&include_all_executions=true"),
            new Endpoint("workflow's logs", "/v2/workflows/{w}/logs"),
            new Endpoint("workflow's statistics", "/v2/workflows/{w}/stats"),
            new Endpoint("search", "/v2/logs/search?q=secret"),
            new Endpoint("list", "/v2/executions?limit=500"));

    /** Of each tenant: in the hot tier and in PostgreSQL alone, owned by name and by workflow. */
    private static final List<String> EXECUTIONS = List.of("-own", "-flow", "-cold-own", "-cold-flow");

    private static final String COLD = """
            INSERT INTO tailrace.workflow_executions (execution_id, workflow_id, user_id, last_seq, total_logs,
              milestone_count, created_at, last_received_at, generation, last_position, status, level_counts, event_counts)
            SELECT t || e, t || CASE WHEN e = '-cold-flow' THEN '-w' ELSE '-x' END, CASE WHEN e = '-cold-own' THEN t END, 3, 3, 0,
              now(), now(), 1, 1, 'SUCCEEDED', '{}', '{}'
            FROM unnest('{ann,bob}'::text[]) AS t, unnest('{-cold-own,-cold-flow}'::text[]) AS e;
            INSERT INTO tailrace.workflow_execution_logs (seq, received_at, timestamp, id, level, event_type,
              log_category, display_priority, is_milestone, execution_id, message)
            SELECT n, now(), now(), gen_random_uuid(), 'error', 'log', 'technical', 5, false, execution_id,
              'secret of ' || left(execution_id, 3)
            FROM tailrace.workflow_executions, generate_series(1, 3) AS n WHERE execution_id LIKE '%-cold-%'
            """;

    @TempDir
    private static Path directory;

    private static ServerProcess server;
    private static Api service;
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    @BeforeAll
    static void start() throws Exception {
        server = ServerProcess.in(directory.resolve("data"))
                .env("DATABASE_POOL_SIZE", "1")
                .start();
        service = new Api(server.base(), ServerProcess.serviceToken());
        for (String tenant : List.of("ann", "bob")) {
            assertThat(service.put("/v2/workflows/" + tenant + "-w", "{\"user_id\":\"" + tenant + "\"}")
                            .status())
                    .isEqualTo(201);
            send(tenant + "-own", "\"user_id\":\"" + tenant + "\",\"workflow_id\":\"" + tenant + "-x\"", tenant);
            send(tenant + "-flow", "\"workflow_id\":\"" + tenant + "-w\"", tenant);
        }
        PostgresRows.embeddedIn(server.dataDir()).execute(COLD);
        for (String tenant : List.of("ann", "bob")) {
            for (String execution : EXECUTIONS) {
                AwaitCondition.until(
                        tenant + " may read " + tenant + execution,
                        PATIENCE,
                        () -> status(tenant, tenant + execution) == 200);
            }
        }
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    private static void send(String executionId, String owner, String tenant) throws Exception {
        String entry = "{\"message\":\"secret of " + tenant + "\",\"level\":\"ERROR\"}";
        Api.Answer answer = service.post(
                "/v2/logs/batch",
                "{\"defaults\":{\"execution_id\":\"" + executionId + "\"," + owner + "},\"entries\":[" + entry + ","
                        + entry + "," + entry + "]}");
        assertThat(answer.status()).isEqualTo(202);
    }

    /** What a reader got. */
    private record Answer(int statusCode, Map<String, List<String>> headers, String body) {}

    private static Answer get(String subject, String path) throws Exception {
        if (path.contains("/logs/ws")) {
            return socket(subject, path);
        }
        HttpResponse<String> answer = CLIENT.send(
                HttpRequest.newBuilder(server.base().resolve(path))
                        .header("Authorization", "Bearer " + ServerProcess.userToken(subject))
                        .timeout(PATIENCE)
                        .build(),
                BodyHandlers.ofString());
        return new Answer(answer.statusCode(), answer.headers().map(), answer.body());
    }

    /** All that a WebSocket says, as one body; a handshake that is refused has none that the client shows. */
    private static Answer socket(String subject, String path) throws Exception {
        var said = new StringBuilder();
        var closed = new CompletableFuture<Void>();
        URI address = URI.create(server.base().resolve(path).toString().replaceFirst("^http", "ws"));
        try {
            CLIENT.newWebSocketBuilder()
                    .header("Authorization", "Bearer " + ServerProcess.userToken(subject))
                    .buildAsync(address, new WebSocket.Listener() {
                        @Override
                        public @Nullable CompletionStage<?> onText(WebSocket socket, CharSequence text, boolean last) {
                            said.append(text);
                            socket.request(1);
                            return null;
                        }

                        @Override
                        public @Nullable CompletionStage<?> onClose(WebSocket socket, int status, String reason) {
                            closed.complete(null);
                            return null;
                        }

                        @Override
                        public void onError(WebSocket socket, Throwable error) {
                            closed.completeExceptionally(error);
                        }
                    })
                    .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof WebSocketHandshakeException refused) {
                HttpResponse<?> answer = refused.getResponse();
                return new Answer(answer.statusCode(), answer.headers().map(), "");
            }
            throw e;
        }
        closed.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        return new Answer(200, Map.of(), said.toString());
    }

    private static int status(String subject, String executionId) throws Exception {
        return get(subject, "/v2/executions/" + executionId).statusCode();
    }

    @Test
    void neitherEverSeesAnythingOfTheOthers() throws Exception {
        ExecutorService tenants = Executors.newFixedThreadPool(2);
        try {
            List<Callable<Integer>> both = List.of(() -> readAll("ann", "bob"), () -> readAll("bob", "ann"));
            int own = 0;
            for (Future<Integer> each : tenants.invokeAll(both)) {
                own += each.get();
            }
            assertThat(own).as("answers with something of one's own").isGreaterThan(REQUESTS / 3);
        } finally {
            tenants.shutdownNow();
        }
    }

    private static int readAll(String tenant, String other) throws Exception {
        int own = 0;
        for (int i = 0; i < REQUESTS / 2; i++) {
            Endpoint endpoint = ENDPOINTS.get(i % ENDPOINTS.size());
            int round = i / ENDPOINTS.size();
            String execution = EXECUTIONS.get(round / 2 % EXECUTIONS.size());
            boolean foreign = endpoint.aboutOne() && round % 2 == 1;
            String whose = foreign ? other : tenant;
            String path = endpoint.of(whose + execution, whose + "-w");

            Answer answer = get(tenant, path);

            assertThat(answer.statusCode())
                    .as(tenant + " " + path + "\n" + answer.body())
                    .isEqualTo(foreign ? endpoint.foreignStatus() : 200);
            assertThat(answer.body()).as(tenant + " " + path).doesNotContain("secret of " + other);
            if (!foreign) {
                assertThat(answer.body())
                        .as(tenant + " " + path)
                        .contains(tenant)
                        .doesNotContain(other);
                own++;
            }
        }
        return own;
    }

    @Test
    void whatIsAnothersLooksLikeWhatThereIsNot() throws Exception {
        for (Endpoint endpoint : ENDPOINTS) {
            for (String execution : endpoint.aboutOne() ? EXECUTIONS : List.<String>of()) {
                assertIndistinguishable(endpoint, execution);
            }
        }
        assertIndistinguishable(new Endpoint("stream that waits", "/v2/executions/{e}/logs/stream?wait=1"), "-own");
    }

    private static void assertIndistinguishable(Endpoint endpoint, String execution) throws Exception {
        assertThat(seen("ann", endpoint, "bob", execution))
                .as(endpoint.name() + " of bob" + execution)
                .isEqualTo(seen("ann", endpoint, "not", execution));
    }

    /** Status, headers and body, but for the ids and the time. */
    private static String seen(String reader, Endpoint endpoint, String whose, String execution) throws Exception {
        Answer answer = get(reader, endpoint.of(whose + execution, whose + "-w"));
        Map<String, List<String>> headers = new TreeMap<>(answer.headers());
        headers.remove("x-request-id");
        String body = answer.body()
                .replace(whose + execution, "ID")
                .replace(whose + "-w", "ID")
                .replaceAll("\"request_id\":\"[^\"]*\"", "\"request_id\":\"…\"")
                .replaceAll("\"timestamp\":\"[^\"]*\"", "\"timestamp\":\"…\"");
        return answer.statusCode() + " " + headers + "\n" + body;
    }

    @Test
    void anotherOwnerIsTheOwnerAtOnce() throws Exception {
        send("given", "\"user_id\":\"ann\"", "ann");
        service.put("/v2/workflows/given-w", "{\"user_id\":\"ann\"}");
        send("given-flow", "\"workflow_id\":\"given-w\"", "ann");
        for (String id : List.of("given", "given-flow")) {
            AwaitCondition.until("ann may read " + id, PATIENCE, () -> status("ann", id) == 200);
            assertThat(status("bob", id)).isEqualTo(404);
        }

        service.put("/v2/executions/given", "{\"user_id\":\"bob\"}");
        assertThat(status("ann", "given")).isEqualTo(404);
        assertThat(status("bob", "given")).isEqualTo(200);

        service.put("/v2/workflows/given-w", "{\"user_id\":\"bob\"}");
        assertThat(status("ann", "given-flow")).isEqualTo(404);
        assertThat(status("bob", "given-flow")).isEqualTo(200);
    }

    @Test
    void withoutALoginForReadersTheStartStopsAndSaysWhatToRun() throws Exception {
        String owner = "tt" + ProcessHandle.current().pid();
        TestDatabase.migrated().close(); // so that the server has the roles
        try (TestDatabase database = TestDatabase.empty()) {
            database.execute("CREATE ROLE " + owner + " LOGIN PASSWORD 'humble'");
            database.execute("ALTER DATABASE " + database.url().database() + " OWNER TO " + owner);
            String url = "postgres://" + owner + ":humble@" + database.url().host() + ":"
                    + database.url().port() + "/" + database.url().database() + "?sslmode=disable";
            try (ServerProcess humble =
                    ServerProcess.in(directory.resolve("humble")).env("DATABASE_URL", url)) {
                assertThat(humble.startExpectingEnd()).isEqualTo(1);
                assertThat(humble.output())
                        .contains(owner + " may not make their login", "CREATE ROLE \"" + owner + "_reader\" LOGIN")
                        .doesNotContain("humble@");
            } finally {
                database.execute("REASSIGN OWNED BY " + owner + " TO CURRENT_USER; DROP OWNED BY " + owner
                        + " CASCADE; DROP ROLE " + owner);
            }
        }
    }
}
