package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** Threads that post batches as fast as they are answered, until the server is gone; every other one sends ids. */
final class Senders {
    private static final int LINES = 12;

    private final Api api;
    private final Ledger ledger;
    private final String name;
    private final List<String> executions;
    private final AtomicInteger number = new AtomicInteger();
    private final List<Thread> threads = new ArrayList<>();
    private final Queue<Batch> unanswered = new ConcurrentLinkedQueue<>();
    private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    private volatile boolean stopped;

    /** A batch over two executions. */
    record Batch(String json, Map<String, List<String>> texts, boolean withIds) {}

    /** @param name makes the texts of these senders unlike all others */
    Senders(Api api, Ledger ledger, String name, List<String> executions) {
        this.api = api;
        this.ledger = ledger;
        this.name = name;
        this.executions = executions;
    }

    Senders start(int count) {
        for (int i = 0; i < count; i++) {
            boolean withIds = i % 2 == 0;
            Thread thread = new Thread(() -> run(withIds), "sender-" + i);
            threads.add(thread);
            thread.start();
        }
        return this;
    }

    private void run(boolean withIds) {
        try {
            while (!stopped) {
                Batch batch = batch(withIds);
                try {
                    Api.Answer answer = api.post("/v2/logs/batch", batch.json);
                    if (answer.status() == 202) {
                        ledger.answered(answer.body(), batch.texts);
                        continue;
                    }
                    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(503);
                } catch (IOException gone) {
                    // the answer is lost: nobody knows whether the batch is there
                }
                unanswered.add(batch);
                return;
            }
        } catch (Throwable e) {
            failures.add(e);
        }
    }

    private Batch batch(boolean withIds) {
        int at = number.incrementAndGet();
        Map<String, List<String>> texts = new LinkedHashMap<>();
        ObjectNode body = Api.JSON.createObjectNode();
        ArrayNode entries = body.putArray("entries");
        for (int line = 0; line < LINES; line++) {
            String execution = executions.get((at + line % 2) % executions.size());
            boolean friendly = line % 3 == 0;
            String text = (friendly ? Ledger.FRIENDLY : "technical ") + name + " " + at + " " + line;
            texts.computeIfAbsent(execution, any -> new ArrayList<>()).add(text);
            ObjectNode entry =
                    entries.addObject().put("execution_id", execution).put("message", text);
            if (friendly) {
                entry.put("user_friendly_message", "Shown: " + text);
            }
            if (withIds) {
                entry.put("id", UUID.randomUUID().toString());
            }
        }
        texts.values().forEach(ledger::sent);
        return new Batch(body.toString(), texts, withIds);
    }

    /** Waits until all of them have ended because the server did, and says what was never answered. */
    List<Batch> join() throws InterruptedException {
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(failures).isEmpty();
        return List.copyOf(unanswered);
    }

    List<Batch> stop() throws InterruptedException {
        stopped = true;
        return join();
    }
}
