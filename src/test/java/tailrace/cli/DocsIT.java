package tailrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.openapi.CheckedClient;
import tailrace.postgres.TestDatabase;
import tailrace.process.ServerProcess;

/** What a person sees at {@code /docs}, in a real browser, of the server as it is shipped. */
class DocsIT {
    private static final Path SHOTS = Path.of("target", "screenshots");

    private final Vertx vertx = Vertx.vertx();
    private TestDatabase database;
    private ServerProcess server;
    private Chromium browser;

    @BeforeEach
    void start(@TempDir Path directory) throws Exception {
        database = TestDatabase.empty();
        server = ServerProcess.in(directory.resolve("data"))
                .env("DATABASE_URL", database.urlText())
                .start();
        browser = new Chromium(vertx);
        browser.command("Network.enable", new JsonObject());
    }

    @AfterEach
    void stop() throws Exception {
        if (browser != null) {
            browser.close();
        }
        vertx.close().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
        server.close();
        database.close();
    }

    @Test
    void theWholeApiCanBeReadAndTriedWithoutAForeignHost() throws Exception {
        // Given the document that the jar serves
        JsonObject document = served();
        assertThat(document.getJsonObject("info").getString("version"))
                .as("the build's")
                .matches("[0-9]+\\.[0-9]+.*");
        long operations = document.getJsonObject("paths").stream()
                .flatMap(path -> ((JsonObject) path.getValue()).fieldNames().stream())
                .filter(name -> !name.equals("parameters"))
                .count();

        // When somebody opens the page
        browser.size(1280, 1400);
        browser.open(server.base() + "/docs");

        // Then every operation is there, and nothing was blocked or came from elsewhere
        browser.await("document.querySelectorAll('.opblock').length === " + operations);
        browser.screenshot(SHOTS.resolve("docs.png"));
        requireOwnRequestsOnly();

        // When they give their token and try an operation
        String token = ServerProcess.serviceToken();
        browser.evaluate("document.querySelector('.btn.authorize').click()");
        browser.await("document.querySelector('.dialog-ux input')");
        type(".dialog-ux .auth-container input", token);
        browser.evaluate("document.querySelector('.dialog-ux .auth-container button[type=submit]').click()");
        browser.await("document.querySelector('.dialog-ux .auth-container').innerText.includes('Logout')");
        browser.evaluate("document.querySelector('.dialog-ux .btn-done').click()");
        open("getStats");
        browser.evaluate("document.querySelector('#operations-operations-getStats .try-out__btn').click()");
        browser.await("document.querySelector('#operations-operations-getStats .execute')");
        browser.evaluate("document.querySelector('#operations-operations-getStats .execute').click()");

        // Then the server answers
        String answer = "document.querySelector('#operations-operations-getStats .live-responses-table .response')";
        browser.await(answer + "?.innerText.includes('batch_buffer_size')");
        assertThat(browser.evaluate(answer + ".innerText")).asString().contains("200");
        browser.evaluate("document.querySelector('#operations-operations-getStats').scrollIntoView()");
        browser.screenshot(SHOTS.resolve("docs-tried.png"));
        requireOwnRequestsOnly();

        // And an operation with a body can be opened, too
        open("ingestBatch");
        browser.await("document.querySelector('#operations-ingest-ingestBatch .opblock-body')");
        browser.evaluate("document.querySelector('#operations-ingest-ingestBatch').scrollIntoView()");
        browser.await("document.querySelector('#operations-ingest-ingestBatch .responses-table')");
        browser.screenshot(SHOTS.resolve("docs-operation.png"));
        assertThat(browser.complaints).isEmpty();

        // And the token is nowhere but in that page
        assertThat(browser.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"))
                .isEqualTo("[{},{},\"\"]");
        browser.open(server.base() + "/docs/");
        browser.await("document.querySelectorAll('.opblock').length === " + operations);
        assertThat(browser.evaluate("document.querySelector('.btn.authorize').className"))
                .asString()
                .doesNotContain(" locked");
        assertThat(browser.evaluate("document.documentElement.outerHTML.includes('" + token + "')"))
                .isEqualTo(false);
    }

    private JsonObject served() throws Exception {
        return new JsonObject(CheckedClient.of(HttpClient.newHttpClient())
                .send(
                        HttpRequest.newBuilder(URI.create(server.base() + "/openapi.json"))
                                .build(),
                        BodyHandlers.ofString())
                .body());
    }

    private void requireOwnRequestsOnly() {
        assertThat(browser.complaints).isEmpty();
        assertThat(browser.requests).isNotEmpty().allSatisfy(url -> assertThat(url)
                .matches(own -> own.startsWith(server.base() + "/") || own.startsWith("data:"), "of this server"));
    }

    private void open(String operation) throws Exception {
        String block = "document.querySelector('[id$=-" + operation + "]')";
        browser.evaluate(block + ".querySelector('.opblock-summary-control').click()");
        browser.await(block + ".classList.contains('is-open')");
    }

    /** React looks at what a user does, not at the value alone. */
    private void type(String selector, String text) throws Exception {
        browser.evaluate("(() => { const input = document.querySelector('" + selector + "');"
                + " Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, '" + text
                + "');"
                + " input.dispatchEvent(new Event('input', {bubbles: true})); })()");
    }
}
