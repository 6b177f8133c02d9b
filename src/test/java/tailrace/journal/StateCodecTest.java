package tailrace.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import tailrace.model.EventType;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionState.Counts;
import tailrace.model.ExecutionStatus;
import tailrace.model.IngestAnswer;
import tailrace.model.JournalRecord;
import tailrace.model.Level;
import tailrace.model.Rejection;
import tailrace.model.SeqRange;

/** What is written is read back, whatever it is. */
class StateCodecTest {
    @Property(tries = 200)
    void aStateIsReadBackAsItWas(@ForAll("states") ExecutionState state) {
        StoredState stored = StoredState.of(state, 29_539_440, 7);

        assertThat(StateCodec.decodeStored(StateCodec.encode(stored))).isEqualTo(stored);
    }

    @Property(tries = 200)
    void aRecordIsReadBackAsItWas(
            @ForAll("ids") String id, @ForAll long firstSeq, @ForAll int count, @ForAll boolean urgent) {
        var record = new JournalRecord(7, id, firstSeq, count, count / 2, urgent, count * 3L, firstSeq);

        assertThat(StateCodec.decodeRecord(7, StateCodec.encode(record))).isEqualTo(record);
    }

    @Property(tries = 100)
    void anAnswerIsReadBackAsItWas(@ForAll("ids") String text, @ForAll byte[] fingerprint, @ForAll int number) {
        byte[] print = Arrays.copyOf(fingerprint, 32);
        var answer = new IngestAnswer(
                number,
                List.of(new Rejection(number, "", text, text), new Rejection(0, text, "", "")),
                1,
                2,
                List.of(new SeqRange(text, 1, Long.MAX_VALUE)));

        StateCodec.StoredAnswer read =
                StateCodec.decodeAnswer(StateCodec.encode(new StateCodec.StoredAnswer(print, 9, answer)));

        assertThat(read.fingerprint()).isEqualTo(print);
        assertThat(read.atMicros()).isEqualTo(9);
        assertThat(read.answer()).isEqualTo(answer);
    }

    @Example
    void whatCannotBeReadIsDamage() {
        byte[] state = StateCodec.encode(new JournalRecord(1, "e", 1, 1, 1, false));
        assertThatThrownBy(() -> StateCodec.decodeRecord(1, Arrays.copyOf(state, 5)))
                .isInstanceOf(JournalDamagedException.class);
        state[0] = 99;
        assertThatThrownBy(() -> StateCodec.decodeRecord(1, state))
                .isInstanceOf(JournalDamagedException.class)
                .hasMessageContaining("version 99");
    }

    @Provide
    Arbitrary<String> ids() {
        return Arbitraries.strings().excludeChars(surrogates()).ofMinLength(1).ofMaxLength(255);
    }

    private static char[] surrogates() {
        char[] all = new char[Character.MAX_SURROGATE - Character.MIN_SURROGATE + 1];
        for (int i = 0; i < all.length; i++) {
            all[i] = (char) (Character.MIN_SURROGATE + i);
        }
        return all;
    }

    @Provide
    Arbitrary<ExecutionState> states() {
        Arbitrary<Long> numbers = Arbitraries.longs();
        Arbitrary<Counts> levels = counts(Level.values().length);
        Arbitrary<Counts> events = counts(EventType.values().length);
        return Combinators.combine(
                        ids(),
                        ids().injectNull(0.3),
                        Arbitraries.of(ExecutionStatus.values()),
                        numbers.array(long[].class).ofSize(11),
                        levels,
                        events,
                        Arbitraries.integers().between(-1, 10_000))
                .as((id, owner, status, n, level, event, progress) -> new ExecutionState(
                        id, owner, owner, status, n[0], n[1], n[2], level, event, n[3], progress, n[4], n[5], n[6],
                        n[7], n[8], n[9], n[10]));
    }

    private static Arbitrary<Counts> counts(int length) {
        return Arbitraries.longs().array(long[].class).ofSize(length).map(Counts::new);
    }
}
