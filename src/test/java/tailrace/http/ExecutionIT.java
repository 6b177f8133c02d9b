package tailrace.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tailrace.bus.Address;
import tailrace.bus.BusMessage;
import tailrace.model.EntryFields;
import tailrace.model.ExecutionStatus;
import tailrace.model.ExecutionUpdate;
import tailrace.model.Level;
import tailrace.openapi.CheckedClient;

/** The state of an execution over HTTP. */
class ExecutionIT {
    private final ReadingServer server = ReadingServer.start();
    private final CheckedClient client = CheckedClient.of(HttpClient.newHttpClient());
    private final AtomicReference<ExecutionUpdate> update = new AtomicReference<>();

    @AfterEach
    void close() {
        server.close();
    }

    private HttpResponse<String> send(String method, String id, String body, String token) throws Exception {
        return send(client, method, id, body, token);
    }

    private HttpResponse<String> send(HttpClient client, String method, String id, String body, String token)
            throws Exception {
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + server.port() + "/v2/executions/" + id))
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .header("Authorization", "Bearer " + token)
                .build();
        return client.send(request, HttpResponse.BodyHandlers.ofString());
    }

    private ExecutionUpdate asked() {
        return Objects.requireNonNull(update.get());
    }

    private void sequencer(boolean created) {
        server.vertx.eventBus().<BusMessage.Update>consumer(Address.JOURNAL, message -> {
            ExecutionUpdate asked = message.body().update();
            update.set(asked);
            String user = Objects.requireNonNullElse(asked.userId(), "");
            ExecutionStatus status = Objects.requireNonNullElse(asked.status(), ExecutionStatus.NEW);
            server.journal.update(asked.executionId(), status, user, asked.receivedAtMicros());
            message.reply(new BusMessage.Updated(server.journal.state(asked.executionId()), created));
        });
    }

    @Test
    void tellsItsState() throws Exception {
        EntryFields error = server.entry("bad");
        error.level = Level.ERROR;
        error.milestone = true;
        server.register("e1", ExecutionStatus.RUNNING, "alice");
        server.append("e1", server.entry("fine"), error);
        HttpResponse<String> response = send("GET", "e1", "", "alice");
        assertThat(response.statusCode()).isEqualTo(200);
        JsonObject state = new JsonObject(response.body());
        assertThat(state.getString("execution_id")).isEqualTo("e1");
        assertThat(state.getString("status")).isEqualTo("RUNNING");
        assertThat(state.getString("user_id")).isEqualTo("alice");
        assertThat(state.getLong("total_logs")).isEqualTo(2);
        assertThat(state.getLong("last_seq")).isEqualTo(2);
        assertThat(state.getLong("milestone_count")).isEqualTo(1);
        assertThat(state.getJsonObject("log_levels").getLong("error")).isEqualTo(1);
        assertThat(state.getJsonObject("event_types").getLong("log")).isEqualTo(2);
        assertThat(state.getValue("finished_at")).isNull();
        assertThat(state.getValue("progress_percentage")).isNull();
        assertThat(send("GET", "e1", "", "bob").statusCode()).isEqualTo(404);
        assertThat(send("GET", "e2", "", "service").statusCode()).isEqualTo(404);
    }

    @Test
    void isRegisteredAndMovedByAService() throws Exception {
        sequencer(true);
        HttpResponse<String> response =
                send("PUT", "e1", "{\"status\":\"running\",\"workflow_id\":\"w\",\"user_id\":\"alice\"}", "service");
        assertThat(response.statusCode()).isEqualTo(201);
        assertThat(new JsonObject(response.body()).getString("status")).isEqualTo("RUNNING");
        ExecutionUpdate asked = asked();
        assertThat(asked.status()).isEqualTo(ExecutionStatus.RUNNING);
        assertThat(asked.workflowId()).isEqualTo("w");
        assertThat(asked.userId()).isEqualTo("alice");
        assertThat(asked.receivedAtMicros()).isPositive();
    }

    @Test
    void whatIsNotGivenIsLeftAsItIs() throws Exception {
        sequencer(false);
        assertThat(send("PUT", "e1", "{\"user_id\":null}", "service").statusCode())
                .isEqualTo(200);
        assertThat(asked().status()).isNull();
        assertThat(asked().workflowId()).isNull();
        assertThat(asked().userId()).isNull();
    }

    @Test
    void isNotForReadersAndNeedsTheJournal() throws Exception {
        assertThat(send("PUT", "e1", "{}", "alice").statusCode()).isEqualTo(403);
        assertThat(send("PUT", "e1", "{}", "service").statusCode()).isEqualTo(503); // nobody sequences
        sequencer(true);
        assertThat(send(client.nonsense(), "PUT", "e".repeat(256), "{}", "service")
                        .statusCode())
                .isEqualTo(400);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "status | {'status':'DONE'}",
                "status | {'status':1}",
                "status | {'status':''}",
                "workflow_id | {'workflow_id':5}",
                "workflow_id | {'workflow_id':''}",
                "user_id | {'user_id':{}}",
                "user_id | {'user_id':['a']}",
                "body | []",
                "body | nonsense",
                "body | ''",
                "body | 'null'",
                "body | {'status':"
            })
    void aBadFieldIsNamed(String field, String body) throws Exception {
        sequencer(true);
        HttpResponse<String> response = send(client.nonsense(), "PUT", "e1", body.replace('\'', '"'), "service");
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(new JsonObject(response.body()).getString("field")).isEqualTo(field);
        assertThat(update.get()).isNull();
    }
}
