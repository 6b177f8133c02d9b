package tailrace.journal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Whose turn it is. */
class FairQueueTest {
    private record Request(Collection<String> executions, long bytes, int number) implements FairQueue.Item {
        static Request of(int number, long bytes, String... executions) {
            return new Request(List.of(executions), bytes, number);
        }
    }

    private final FairQueue<Request> queue = new FairQueue<>(10_000, 64 << 20);

    private List<Integer> drain() {
        var numbers = new ArrayList<Integer>();
        for (Request next; (next = queue.poll()) != null; ) {
            numbers.add(next.number());
        }
        return numbers;
    }

    @Test
    void aSmallRequestWaitsForOneTurnOfAFloodAndNotForAllOfIt() {
        for (int i = 0; i < 30; i++) {
            assertThat(queue.offer(Request.of(i, 1 << 20, "flood"))).isTrue();
        }
        assertThat(queue.offer(Request.of(100, 300, "quiet"))).isTrue();
        assertThat(queue.offer(Request.of(101, 300, "quiet"))).isTrue();

        List<Integer> order = drain();

        assertThat(order).hasSize(32);
        assertThat(order.indexOf(100)).isLessThanOrEqualTo(1);
        assertThat(order.indexOf(101)).isLessThanOrEqualTo(2);
        order.removeAll(List.of(100, 101));
        assertThat(order).isSorted();
    }

    @Test
    void linesThatSendAlikeGetAlike() {
        for (int i = 0; i < 1_000; i++) {
            queue.offer(Request.of(i, 10 << 10, "a"));
            queue.offer(Request.of(i, 40 << 10, "b"));
        }
        Map<String, Long> bytes = new HashMap<>();
        for (long taken = 0; taken < 10 << 20; ) {
            Request next = Objects.requireNonNull(queue.poll());
            bytes.merge(next.executions().iterator().next(), next.bytes(), Long::sum);
            taken += next.bytes();
        }
        assertThat(bytes.get("a")).isBetween(4L << 20, 6L << 20);
    }

    @Test
    void aRequestThatNamesSeveralStandsBehindAllOfThemAndBeforeWhatComesLater() {
        for (int i = 0; i < 20; i++) {
            queue.offer(Request.of(i, 1 << 20, "a"));
        }
        queue.offer(Request.of(20, 1_000, "b"));
        queue.offer(Request.of(21, 1_000, "c", "a", "b"));
        queue.offer(Request.of(22, 1_000, "b"));
        queue.offer(Request.of(23, 1_000, "c"));
        queue.offer(Request.of(24, 1_000, "d"));

        List<Integer> order = drain();

        assertThat(order).hasSize(25);
        assertThat(order.indexOf(24)).isLessThan(5);
        order.remove((Integer) 24);
        assertThat(order).isSorted();
    }

    @Property(tries = 300)
    void whatConcernsOneExecutionKeepsItsOrderAndNothingIsLost(@ForAll long seed) {
        var random = new Random(seed);
        var fresh = new FairQueue<Request>(10_000, 1L << 40);
        Map<String, Integer> lastOf = new HashMap<>();
        int offered = 0;
        int polled = 0;
        for (int step = 0; step < 2_000; step++) {
            if (random.nextInt(5) < 3) {
                var executions = new ArrayList<String>();
                for (int n = random.nextInt(4); n >= 0; n--) {
                    String id = "e" + random.nextInt(12);
                    if (!executions.contains(id)) {
                        executions.add(id);
                    }
                }
                assertThat(fresh.offer(new Request(executions, random.nextInt(200_000), offered++)))
                        .isTrue();
            } else {
                polled += check(fresh.poll(), lastOf);
            }
        }
        while (!fresh.isEmpty()) {
            polled += check(fresh.poll(), lastOf);
        }
        assertThat(polled).isEqualTo(offered);
        assertThat(fresh.poll()).isNull();
    }

    private static int check(@Nullable Request next, Map<String, Integer> lastOf) {
        if (next == null) {
            return 0;
        }
        for (String execution : next.executions()) {
            Integer before = lastOf.put(execution, next.number());
            assertThat(before == null || before < next.number()).isTrue();
        }
        return 1;
    }

    @Test
    void itRefusesBeyondItsBoundsAndAFloodLeavesRoomForOthers() {
        var small = new FairQueue<Request>(100, 10_000);
        int flood = 0;
        while (small.offer(Request.of(flood, 1_000, "flood"))) {
            flood++;
        }
        assertThat(flood).isEqualTo(7);
        assertThat(small.offer(Request.of(0, 1_000, "quiet"))).isTrue();
        assertThat(small.offer(Request.of(0, 50_000, "large")))
                .as("alone in its line")
                .isTrue();

        var few = new FairQueue<Request>(100, 1 << 20);
        int many = 0;
        while (few.offer(Request.of(many, 0, "flood"))) {
            many++;
        }
        assertThat(many).isEqualTo(75);
        int others = 0;
        while (few.offer(Request.of(others, 0, "other " + others))) {
            others++;
        }
        assertThat(others).isEqualTo(25);
    }

    @Test
    void whatIsTakenBackIsGoneAndTheRestStays() {
        Request first = Request.of(1, 10, "a");
        Request second = Request.of(2, 10, "a", "b");
        queue.offer(first);
        queue.offer(second);
        assertThat(queue.remove(first)).isTrue();
        assertThat(queue.remove(first)).isFalse();
        assertThat(queue.remove(second)).isTrue();
        assertThat(queue.isEmpty()).isTrue();
        queue.offer(Request.of(3, 10, "b"));
        assertThat(drain()).containsExactly(3);
    }

    @Test
    void itWaitsNoLongerThanItIsTold() throws Exception {
        assertThat(queue.poll(1, TimeUnit.MILLISECONDS)).isNull();
    }

    @Test
    void manyThreadsOfferWhileOneTakes() throws Exception {
        int threads = 4;
        int each = 5_000;
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        try {
            var producers = new ArrayList<Future<Integer>>();
            for (int t = 0; t < threads; t++) {
                int thread = t;
                Callable<Integer> producer = () -> {
                    for (int i = 0; i < each; i++) {
                        Request request = i % 10 == 0
                                ? Request.of(i, 5_000, "t" + thread, "common")
                                : Request.of(i, 50, "t" + thread);
                        while (!queue.offer(request)) {
                            Thread.onSpinWait();
                        }
                    }
                    return each;
                };
                producers.add(executor.submit(producer));
            }
            int[] last = new int[threads];
            java.util.Arrays.fill(last, -1);
            for (int taken = 0; taken < threads * each; taken++) {
                Request next = Objects.requireNonNull(queue.poll(30, TimeUnit.SECONDS));
                int thread = next.executions().iterator().next().charAt(1) - '0';
                assertThat(next.number()).isEqualTo(last[thread] + 1);
                last[thread] = next.number();
            }
            for (Future<Integer> producer : producers) {
                assertThat(producer.get()).isEqualTo(each);
            }
            assertThat(queue.isEmpty()).isTrue();
        } finally {
            executor.shutdownNow();
        }
    }
}
