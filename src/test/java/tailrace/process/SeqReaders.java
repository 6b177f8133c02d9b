package tailrace.process;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * People who read what {@link EntryFeed}s write, each on a thread of its own, while the server and what it depends on
 * come and go. They check every seq: without a hole, not twice, in order, and by whomever and wherever it is read, the
 * same entry for the same seq. A GAP, an ERROR, an answer other than 200 or a stream that ends is wrong too, unless the
 * server was being killed.
 */
final class SeqReaders implements AutoCloseable {
    private static final int MAX_WRONG = 20;
    private static final Duration AWAY = Duration.ofMillis(50);
    private static final Duration BETWEEN_WALKS = Duration.ofMillis(50);
    private static final int WALK_ENTRIES = 2_000;

    private final Api api;
    private final ServerTarget server;
    private final Map<String, Map<Long, String>> seen = new ConcurrentHashMap<>();
    private final Queue<String> wrong = new ConcurrentLinkedQueue<>();
    private final Set<Api.Stream> open = ConcurrentHashMap.newKeySet();
    private final List<Thread> threads = new ArrayList<>();
    private final List<Place> stayers = new ArrayList<>();
    private final AtomicLong entries = new AtomicLong();
    private final AtomicLong comings = new AtomicLong();
    private volatile boolean stopped;

    /** How far a reader is. */
    private static final class Place {
        final String execution;
        volatile long last;

        Place(String execution) {
            this.execution = execution;
        }
    }

    SeqReaders(Api api, ServerTarget server) {
        this.api = api;
        this.server = server;
    }

    private void start(String name, Body body) {
        Thread thread = new Thread(
                () -> {
                    while (!stopped && wrong.size() < MAX_WRONG) {
                        long begun = System.nanoTime();
                        try {
                            body.run();
                        } catch (IOException e) {
                            if (!stopped && !server.mayBreak(begun)) {
                                wrong(name + " was cut off: " + e);
                            }
                            AwaitCondition.elapse(AWAY);
                        } catch (Exception | AssertionError e) {
                            wrong(name + ": " + e);
                        }
                    }
                },
                name);
        threads.add(thread);
        thread.start();
    }

    private interface Body {
        void run() throws Exception;
    }

    private void wrong(String what) {
        if (wrong.size() < MAX_WRONG) {
            wrong.add(what);
        }
    }

    /** Somebody who stays, and comes back with the last id if the server was killed. */
    void follow(String execution) {
        Place place = new Place(execution);
        stayers.add(place);
        start("the follower of " + execution, () -> watch(place, Integer.MAX_VALUE));
    }

    /** Somebody who comes and goes, and now and then goes back to what was read before. */
    void wander(String execution, Random random) {
        Place place = new Place(execution);
        start("the wanderer of " + execution, () -> {
            if (random.nextInt(3) == 0) {
                place.last = (long) (random.nextDouble() * (place.last + 1));
            }
            watch(place, random.nextInt(300));
        });
    }

    private void watch(Place place, int events) throws IOException, InterruptedException {
        long begun = System.nanoTime();
        comings.incrementAndGet();
        try (Api.Stream stream =
                place.last == 0 ? api.stream(place.execution, "") : api.streamAfter(place.execution, place.last)) {
            open.add(stream);
            try {
                if (stream.status != 200) {
                    refused("the stream of " + place.execution, stream.status, begun);
                    return;
                }
                for (int left = events; left > 0 && !stopped; left--) {
                    Api.Event event = stream.next();
                    if (event == null) {
                        throw new IOException("the stream ended after " + place.last);
                    }
                    take(place, event);
                }
            } finally {
                open.remove(stream);
            }
        }
    }

    private void take(Place place, Api.Event event) {
        JsonNode entry = event.data().get("data");
        if (!event.type().equals("LOG")) {
            throw new AssertionError(event.type() + " in the stream of " + place.execution + ": " + entry);
        }
        if (event.seq() != place.last + 1) {
            long expected = place.last + 1;
            place.last = event.seq();
            throw new AssertionError(
                    "the stream of " + place.execution + " went on with " + event.seq() + ", not " + expected);
        }
        place.last = event.seq();
        sighted(place.execution, event.seq(), entry);
    }

    private void sighted(String execution, long seq, JsonNode entry) {
        entries.incrementAndGet();
        String id = entry.get("id").asText();
        if (entry.get("seq").asLong() != seq
                || !entry.get("message").asText().startsWith(EntryFeed.message(execution, seq))) {
            throw new AssertionError("seq " + seq + " of " + execution + " is " + entry);
        }
        String before = seen.computeIfAbsent(execution, any -> new ConcurrentHashMap<>())
                .putIfAbsent(seq, id);
        if (before != null && !before.equals(id)) {
            throw new AssertionError("seq " + seq + " of " + execution + " was " + before + " and is " + id);
        }
    }

    private void refused(String what, int status, long begun) {
        if (!server.mayBreak(begun)) {
            throw new AssertionError(what + " was answered with " + status);
        }
        AwaitCondition.elapse(AWAY);
    }

    /** Somebody who pages through history, from anywhere, in either direction. */
    void walk(List<String> executions, Random random) {
        Place[] places = executions.stream().map(Place::new).toArray(Place[]::new);
        start("the walker", () -> {
            AwaitCondition.elapse(BETWEEN_WALKS);
            Place place = places[random.nextInt(places.length)];
            boolean ascending = random.nextInt(3) != 0;
            int limit = 1 + random.nextInt(500);
            long from = (long) (random.nextDouble() * (place.last + 1));
            if (ascending) {
                up(place, from, limit);
            } else {
                down(place, limit);
            }
        });
    }

    private void up(Place place, long from, int limit) throws IOException, InterruptedException {
        long expected = from + 1;
        for (String cursor = ""; expected <= from + WALK_ENTRIES; ) {
            JsonNode page = page(place, "order=asc&after_seq=" + from + "&limit=" + limit + cursor);
            if (page == null) {
                return;
            }
            for (JsonNode entry : page.get("logs")) {
                sighted(place.execution, expected++, entry);
            }
            place.last = Math.max(place.last, expected - 1);
            if (!page.get("pagination").get("has_more").asBoolean()) {
                if (expected - 1 < page.get("last_seq").asLong()) {
                    throw new AssertionError("history of " + place.execution + " ended with " + (expected - 1) + " of "
                            + page.get("last_seq"));
                }
                return;
            }
            cursor = cursor(page);
        }
    }

    private void down(Place place, int limit) throws IOException, InterruptedException {
        long expected = 0;
        int count = 0;
        for (String cursor = ""; count < WALK_ENTRIES; ) {
            JsonNode page = page(place, "order=desc&limit=" + limit + cursor);
            if (page == null) {
                return;
            }
            for (JsonNode entry : page.get("logs")) {
                expected = count++ == 0 ? entry.get("seq").asLong() : expected - 1;
                sighted(place.execution, expected, entry);
            }
            if (!page.get("pagination").get("has_more").asBoolean()) {
                if (count > 0 && expected != 1) {
                    throw new AssertionError("history of " + place.execution + " began with " + expected);
                }
                return;
            }
            cursor = cursor(page);
        }
    }

    private static String cursor(JsonNode page) {
        return "&cursor=" + Api.encode(page.get("pagination").get("next_cursor").asText());
    }

    /** Null where the server is being killed. */
    private JsonNode page(Place place, String query) throws IOException, InterruptedException {
        long begun = System.nanoTime();
        comings.incrementAndGet();
        Api.Answer answer = api.get("/v2/workflows/executions/" + Api.encode(place.execution) + "/logs?" + query);
        if (answer.status() != 200) {
            refused("history of " + place.execution, answer.status(), begun);
            return null;
        }
        if (!answer.body().get("coverage").get("complete").asBoolean()) {
            throw new AssertionError("history of " + place.execution + " has holes: "
                    + answer.body().get("coverage"));
        }
        return answer.body();
    }

    boolean hasSeenWrong() {
        return !wrong.isEmpty();
    }

    List<String> wrong() {
        return List.copyOf(wrong);
    }

    /** Waits until everybody who stays has seen that entry of their execution. */
    void awaitSeq(String execution, long seq, Duration patience) {
        AwaitCondition.until(
                "the followers of " + execution + " get to " + seq,
                patience,
                () -> hasSeenWrong()
                        || stayers.stream()
                                .filter(place -> place.execution.equals(execution))
                                .allMatch(place -> place.last >= seq));
    }

    /** The id of each seq of an execution that anybody has seen. */
    Map<Long, String> seen(String execution) {
        return seen.getOrDefault(execution, Map.of());
    }

    @Override
    public String toString() {
        return entries + " entries seen by " + threads.size() + " readers in " + comings + " streams and pages";
    }

    @Override
    public void close() throws Exception {
        stopped = true;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                for (Api.Stream stream : open) {
                    stream.close();
                }
                thread.join(100);
            }
        }
    }
}
