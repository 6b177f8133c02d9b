package tailrace.stats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import tailrace.model.EventType;
import tailrace.model.ExecutionStatus;
import tailrace.model.Level;

/** Cells add up to the cell of all they count, in any order and by way of their JSON. */
class CellTest {
    private static TopErrors.Example example(long at) {
        return new TopErrors.Example("message " + at, "e", at, at);
    }

    private static Cell decoded(Cell cell) throws IOException {
        var into = new Cell(1_000);
        CellCodec.addTo(into, CellCodec.encode(cell));
        return into;
    }

    @Property(tries = 200)
    void piecesAddUp(@ForAll long seed) throws Exception {
        var random = new Random(seed);
        long[] levels = new long[Level.values().length];
        long[] ends = new long[ExecutionStatus.values().length];
        var durations = new ArrayList<Long>();
        var errors = new HashMap<String, Long>();
        long runs = 0;
        var cells = new ArrayList<Cell>();
        for (int i = 1 + random.nextInt(6); i > 0; i--) {
            cells.add(new Cell(50));
        }
        for (int i = 0; i < 300; i++) {
            Cell into = cells.get(random.nextInt(cells.size()));
            switch (random.nextInt(4)) {
                case 0 -> {
                    Level level = Level.values()[random.nextInt(levels.length)];
                    into.levels[level.ordinal()]++;
                    into.events[EventType.LOG.ordinal()]++;
                    levels[level.ordinal()]++;
                }
                case 1 -> {
                    long millis = random.nextInt(10) == 0 ? -1 : (long) Math.pow(10, random.nextDouble() * 12);
                    ExecutionStatus how = random.nextBoolean() ? ExecutionStatus.FAILED : ExecutionStatus.SUCCEEDED;
                    into.end(how, millis);
                    ends[how.ordinal()]++;
                    if (millis >= 0) {
                        durations.add(Math.min(millis, Cell.MAX_DURATION_MILLIS));
                    }
                }
                case 2 -> {
                    into.runs++;
                    runs++;
                }
                default -> {
                    String template = "\"" + random.nextInt(30) + "\"";
                    into.errors.add(new TopErrors.Kind(template, null), example(i));
                    errors.merge(template, 1L, Long::sum);
                }
            }
        }
        Collections.shuffle(cells, random);
        var sum = new Cell(1_000);
        for (Cell each : cells) {
            sum.add(random.nextBoolean() ? each : decoded(each));
        }
        sum = random.nextBoolean() ? sum : decoded(sum);

        assertThat(sum.levels).isEqualTo(levels);
        assertThat(sum.ends).isEqualTo(ends);
        assertThat(sum.runs()).isEqualTo(runs);
        assertThat(sum.durations()).isEqualTo(durations.size());
        Collections.sort(durations);
        if (!durations.isEmpty()) {
            assertThat(sum.maxMillis()).isEqualTo(durations.get(durations.size() - 1));
            for (double percentile : new double[] {50, 95, 100}) {
                int rank = (int) Math.ceil(percentile / 100 * durations.size());
                long exact = durations.get(Math.max(1, rank) - 1);
                assertThat(sum.durationMillis(percentile)).isBetween(exact, exact + exact / 100 + 1);
            }
        }
        Map<String, Long> told = new HashMap<>();
        sum.errors().top(100).forEach(top -> told.put(top.kind().template(), top.count()));
        assertThat(told).isEqualTo(errors);
        assertThat(sum.errors().other()).isZero();
    }

    @Test
    void whatIsFrequentIsFoundAmongManyThatAreRareAndNothingIsLost() {
        var errors = new TopErrors(20);
        var random = new Random(7);
        List<String> all = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            all.add("rare " + i);
        }
        all.addAll(Collections.nCopies(500, "often"));
        all.addAll(Collections.nCopies(300, "now and then"));
        Collections.shuffle(all, random);
        long at = 0;
        for (String each : all) {
            errors.add(new TopErrors.Kind(each, "E1"), example(++at));
            assertThat(errors.size()).isLessThanOrEqualTo(20);
        }
        assertThat(errors.count()).isEqualTo(2_800);
        List<TopErrors.Top> top = errors.top(2);
        assertThat(top).extracting(each -> each.kind().template()).containsExactly("often", "now and then");
        assertThat(top.get(0).count()).isBetween(400L, 500L);
    }

    @Test
    void ofEqualErrorsTheLastIsTheExample() {
        var errors = new TopErrors(5);
        var kind = new TopErrors.Kind("t", null);
        errors.add(kind, example(5));
        errors.add(kind, example(9));
        errors.add(kind, example(7));
        assertThat(errors.top(1).get(0).last()).isEqualTo(example(9));
        assertThat(new TopErrors.Example("x".repeat(TopErrors.MAX_MESSAGE_CHARS - 1) + "\uD83D\uDE00", "e", 1, 1)
                        .message())
                .isEqualTo("x".repeat(TopErrors.MAX_MESSAGE_CHARS - 1));
    }

    @Test
    void whatIsNoCellIsSaidSoAndWhatIsNewIsPassedOver() throws Exception {
        for (String wrong : List.of("", "[]", "{\"levels\":[]}", "{\"runs\":\"x\"}", "{\"durations\":\"AAAA\"}", "{")) {
            assertThatThrownBy(() -> CellCodec.addTo(new Cell(1), wrong.getBytes(StandardCharsets.UTF_8)))
                    .as(wrong)
                    .isInstanceOf(IOException.class);
        }
        var cell = new Cell(1);
        CellCodec.addTo(
                cell,
                "{\"later\":{\"a\":[1]},\"runs\":2,\"levels\":{\"info\":3,\"new\":4}}"
                        .getBytes(StandardCharsets.UTF_8));
        assertThat(cell.runs()).isEqualTo(2);
        assertThat(cell.entries()).isEqualTo(3);
    }

    @Test
    void keysAreThemselvesAgain() {
        for (var key : List.of(
                new CellKey("w", "", Resolution.MINUTE, 60_000_000L, 1),
                new CellKey("ä".repeat(255), "ö", Resolution.DAY, Long.MAX_VALUE / 2, Long.MAX_VALUE))) {
            assertThat(CellKey.decode(key.encode())).isEqualTo(key);
        }
    }
}
