package tailrace.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What changes from run to run is no part of a template; everything else is. */
class MessageTemplateTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "GET /orders/42 took 80 ms | GET /orders/<*> took <*> ms",
                "took 80ms | took <*>ms",
                "took 1.25 s, 3,200 rows, -5 left | took <*> s, <*> rows, <*> left",
                "at 2026-03-29T01:00:00.123456Z and 2026-03-29 01:00:00+02:00 | at <*> and <*>",
                "from 10:15 to 10:15:30 on 2026/03/29 | from <*> to <*> on <*>",
                "user 7f8d1f2a-0c7e-4c1d-9a53-1f2e3d4c5b6a left | user <*> left",
                "req-7F8D1F2A-0C7E-4C1D-9A53-1F2E3D4C5B6A | req-<*>",
                "user7f8d1f2a-0c7e-4c1d-9a53-1f2e3d4c5b6a left | user<*> left",
                "commit a1b2c3d pushed | commit <*> pushed",
                "address 0x7ffd42 and 10.0.0.1 | address <*> and <*>",
                "job_01HV9K3ZQ4T7M2N5P8R0S1X6YB done | job_<*> done",
                "step12 of sha256 | step<*> of sha<*>",
                "mean 1.5e-7 | mean <*>",
                "node/-5, from 10-20 | node/<*>, from <*>-<*>",
                "ids [1, 2] | ids [<*>, <*>]",
                "pre-flight checks -- ok | pre-flight checks -- ok",
                "status \"failed\" | status \"failed\"",
                "decade facade beef | decade facade beef"
            })
    void leavesOutWhatChanges(String message, String template) {
        assertThat(MessageTemplate.of(message)).isEqualTo(template);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "-", "Zürich 東京 🚀", "a\nb\tc", "<*>"})
    void leavesTheRest(String message) {
        assertThat(MessageTemplate.of(message)).isEqualTo(message);
    }

    private static String message(Random shape, Random ids) {
        StringBuilder message = new StringBuilder();
        int parts = 1 + shape.nextInt(8);
        for (int i = 0; i < parts; i++) {
            message.append(List.of("order ", "took=", "(", "node/", "at ", "x: ", "step")
                    .get(shape.nextInt(7)));
            message.append(
                    switch (shape.nextInt(7)) {
                        case 0 -> Integer.toString(ids.nextInt(Integer.MAX_VALUE));
                        case 1 -> Double.toString(ids.nextDouble() * Math.pow(10, ids.nextInt(12) - 4));
                        case 2 -> new UUID(ids.nextLong(), ids.nextLong()).toString();
                        case 3 -> "0x" + Long.toHexString(ids.nextLong());
                        case 4 ->
                            Instant.ofEpochMilli(ids.nextLong(4_000_000_000_000L))
                                    .toString();
                        case 5 -> "a1" + Long.toHexString(ids.nextLong()) + "b2";
                        default -> "word";
                    });
            message.append(List.of(" ", ", ", ") ", "; ").get(shape.nextInt(4)));
        }
        return message.toString();
    }

    @Property(tries = 2_000)
    void otherNumbersAndIdsMakeNoDifference(@ForAll long shape, @ForAll long some, @ForAll long others) {
        String one = message(new Random(shape), new Random(some));
        String other = message(new Random(shape), new Random(others));
        assertThat(MessageTemplate.of(one)).as(one + " | " + other).isEqualTo(MessageTemplate.of(other));
    }

    @Property
    void isNeverLongAndAlwaysWhole(@ForAll String message, @ForAll boolean letters) {
        String long_ = (letters ? "é🚀" : "x").repeat(500) + message;
        for (String each : List.of(message, long_, message + long_)) {
            String template = MessageTemplate.of(each);
            assertThat(template.length()).isLessThanOrEqualTo(MessageTemplate.MAX_CHARS);
            if (!template.isEmpty()) {
                assertThat(Character.isHighSurrogate(template.charAt(template.length() - 1))
                                && template.length() >= MessageTemplate.MAX_CHARS - 1)
                        .isFalse();
            }
        }
    }
}
