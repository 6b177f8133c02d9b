package tailrace.cli;

import io.vertx.core.Vertx;
import io.vertx.core.http.WebSocket;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.http.WebSocketClientOptions;
import io.vertx.core.http.WebSocketConnectOptions;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * A headless Chromium and one page in it, over the DevTools protocol: what a test needs of it is four commands, less
 * than a driver to install. Loopback only.
 */
final class Chromium implements AutoCloseable {
    private static final List<String> PATHS =
            List.of("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/snap/bin/chromium");
    private static final int MAX_MESSAGE_BYTES = 32 << 20; // a screenshot
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private final Vertx vertx;
    private final Path profile;
    private final Process process;
    private final WebSocket socket;
    private final AtomicInteger ids = new AtomicInteger();
    private final Map<Integer, CompletableFuture<JsonObject>> answers = new ConcurrentHashMap<>();
    /** What the page logged or threw, for the assertion that it did neither. */
    final List<String> complaints = java.util.Collections.synchronizedList(new ArrayList<>());
    /** Every URL that was asked for, once a test has enabled Network. */
    final List<String> requests = new java.util.concurrent.CopyOnWriteArrayList<>();

    Chromium(Vertx vertx) throws Exception {
        this.vertx = vertx;
        String binary = PATHS.stream()
                .filter(path -> Files.isExecutable(Path.of(path)))
                .findFirst()
                .orElseThrow(() -> new AssertionError("This test looks at the page in a browser and finds none."
                        + " Install one, on Debian and Ubuntu: apt-get install chromium"));
        profile = Files.createTempDirectory("tailrace-chromium");
        List<String> command = new ArrayList<>(List.of(
                binary,
                "--headless=new",
                "--remote-debugging-port=0",
                "--user-data-dir=" + profile,
                "--no-first-run",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--window-size=1280,800",
                "about:blank"));
        if ("root".equals(System.getProperty("user.name"))) {
            command.add(1, "--no-sandbox"); // as root it does not start otherwise
        }
        process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(profile.resolve("chromium.log").toFile())
                .start();
        socket = connect();
        socket.textMessageHandler(this::received);
        command("Runtime.enable", new JsonObject());
        command("Log.enable", new JsonObject());
        command("Page.enable", new JsonObject());
    }

    private WebSocket connect() throws Exception {
        Path portFile = profile.resolve("DevToolsActivePort");
        long deadline = System.nanoTime() + TIMEOUT.toNanos();
        while (!Files.exists(portFile) || Files.readAllLines(portFile).size() < 2) {
            if (!process.isAlive() || System.nanoTime() > deadline) {
                throw new AssertionError(
                        "Chromium did not start: " + Files.readString(profile.resolve("chromium.log")));
            }
            Thread.sleep(50);
        }
        int port = Integer.parseInt(Files.readAllLines(portFile).get(0));
        String target = get(vertx.createHttpClient()
                .request(io.vertx.core.http.HttpMethod.PUT, port, "127.0.0.1", "/json/new?about:blank")
                .compose(request -> request.send())
                .compose(response -> response.body())
                .map(body -> body.toJsonObject().getString("webSocketDebuggerUrl")));
        WebSocketClient client = vertx.createWebSocketClient(
                new WebSocketClientOptions().setMaxFrameSize(MAX_MESSAGE_BYTES).setMaxMessageSize(MAX_MESSAGE_BYTES));
        return get(client.connect(new WebSocketConnectOptions()
                .setHost("127.0.0.1")
                .setPort(port)
                .setURI(target.substring(target.indexOf("/devtools")))));
    }

    private static <T> T get(io.vertx.core.Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
    }

    private void received(String text) {
        JsonObject message = new JsonObject(text);
        if (message.containsKey("id")) {
            CompletableFuture<JsonObject> waiting = answers.remove(message.getInteger("id"));
            if (waiting != null) {
                waiting.complete(message);
            }
            return;
        }
        switch (message.getString("method", "")) {
            case "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded" -> complaints.add(text);
            case "Network.requestWillBeSent" ->
                requests.add(
                        message.getJsonObject("params").getJsonObject("request").getString("url"));
            default -> {
                // the page's life, of which the tests ask for themselves
            }
        }
    }

    JsonObject command(String method, JsonObject parameters) throws Exception {
        int id = ids.incrementAndGet();
        CompletableFuture<JsonObject> answer = new CompletableFuture<>();
        answers.put(id, answer);
        socket.writeTextMessage(new JsonObject()
                .put("id", id)
                .put("method", method)
                .put("params", parameters)
                .encode());
        JsonObject got = answer.get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
        if (got.containsKey("error")) {
            throw new IOException(method + ": " + got.getJsonObject("error").encode());
        }
        return got.getJsonObject("result");
    }

    void open(String url) throws Exception {
        command("Page.navigate", new JsonObject().put("url", url));
    }

    /** The value of a JavaScript expression, as JSON has it. */
    Object evaluate(String expression) throws Exception {
        JsonObject result = command(
                "Runtime.evaluate",
                new JsonObject()
                        .put("expression", expression)
                        .put("returnByValue", true)
                        .put("awaitPromise", true));
        if (result.containsKey("exceptionDetails")) {
            throw new IOException(result.getJsonObject("exceptionDetails").encode());
        }
        return result.getJsonObject("result").getValue("value");
    }

    /** Waits until the expression is true; fails with what the page shows then. */
    void await(String expression) throws Exception {
        long deadline = System.nanoTime() + TIMEOUT.toNanos();
        while (!Boolean.TRUE.equals(evaluate("document.readyState === 'complete' && !!(" + expression + ")"))) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("never true: " + expression + "\nthe page shows:\n"
                        + evaluate("document.body.innerText") + "\n" + complaints);
            }
            Thread.sleep(50);
        }
    }

    void dark(boolean dark) throws Exception {
        command(
                "Emulation.setEmulatedMedia",
                new JsonObject()
                        .put(
                                "features",
                                new io.vertx.core.json.JsonArray()
                                        .add(new JsonObject()
                                                .put("name", "prefers-color-scheme")
                                                .put("value", dark ? "dark" : "light"))));
    }

    void size(int width, int height) throws Exception {
        command(
                "Emulation.setDeviceMetricsOverride",
                new JsonObject()
                        .put("width", width)
                        .put("height", height)
                        .put("deviceScaleFactor", 1)
                        .put("mobile", false));
    }

    void key(String key) throws Exception {
        for (String type : List.of("keyDown", "keyUp")) {
            JsonObject event =
                    new JsonObject().put("type", type).put("key", key).put("code", key);
            int code = Map.of("Tab", 9, "Enter", 13, "End", 35, "Home", 36).getOrDefault(key, 0);
            event.put("windowsVirtualKeyCode", code);
            if (key.equals("Enter") && type.equals("keyDown")) {
                event.put("text", "\r");
            }
            command("Input.dispatchKeyEvent", event);
        }
    }

    /** A PNG of what is on the screen. */
    void screenshot(Path file) throws Exception {
        String png = command("Page.captureScreenshot", new JsonObject().put("format", "png"))
                .getString("data");
        Files.createDirectories(file.toAbsolutePath().getParent());
        Files.write(file, Base64.getDecoder().decode(png));
    }

    @Override
    public void close() throws Exception {
        process.descendants().forEach(ProcessHandle::destroy);
        process.destroy();
        if (!process.waitFor(10, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
        }
        try (Stream<Path> files = Files.walk(profile)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
