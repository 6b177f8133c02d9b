package tailrace.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damage to the journal's log: what is damaged in the middle refuses to open, what a crash tore off at the end does
 * not. Each case works on a copy of the files as a crash leaves them.
 */
class JournalDamageTest {
    private static final int BATCHES = 12;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path temp;

    /** Length of the log after each batch. */
    private final List<Long> ends = new ArrayList<>();

    /** The journal's directory with the log of some batches, which were never flushed to tables. */
    private Path crashed() throws IOException {
        Path live = temp.resolve("live");
        Path crashed = temp.resolve("crashed");
        try (var open = new OpenJournal(live)) {
            for (int i = 1; i <= BATCHES; i++) {
                open.append(Batches.of("e", "message " + i));
                ends.add(Files.size(log(live)));
            }
            copy(live, crashed);
        }
        return crashed;
    }

    private static Path log(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(".log"))
                    .max(Comparator.naturalOrder())
                    .orElseThrow();
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (var files = Files.list(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
    }

    private Path copyOf(Path directory, String name) throws IOException {
        Path copy = temp.resolve(name);
        copy(directory, copy);
        return copy;
    }

    private static void flip(Path file, long at, int bit) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer one = ByteBuffer.allocate(1);
            channel.read(one, at);
            one.put(0, (byte) (one.get(0) ^ 1 << bit)).rewind();
            channel.write(one, at);
        }
    }

    private static List<String> told(Path directory) {
        try (RocksJournal journal = RocksJournal.open(directory, true)) {
            return Batches.told(journal, "e");
        }
    }

    private static List<String> messages(int count) {
        return IntStream.rangeClosed(1, count)
                .mapToObj(i -> i + ":message " + i)
                .toList();
    }

    @Test
    void aFlippedBitAnywhereInTheLogIsFoundOrLosesNothing() throws Exception {
        Path journal = crashed();
        long from = ends.get(4);
        // A record's header (CRC 4, length 2, type 1) and the beginning of what it holds: a damaged length once looked
        // like a torn tail, and everything behind it was dropped.
        var silent = new ArrayList<String>();
        for (long at = from; at < from + 10; at++) {
            for (int bit = 0; bit < 8; bit++) {
                Path copy = copyOf(journal, "flipped-" + at + "-" + bit);
                flip(log(copy), at, bit);
                try {
                    List<String> told = told(copy);
                    if (!told.equals(messages(BATCHES))) {
                        silent.add("byte " + (at - from) + " bit " + bit + ": " + told.size() + " of " + BATCHES);
                    }
                } catch (JournalDamagedException refused) {
                    assertThat(refused).hasMessageContaining(copy.toString());
                }
            }
        }
        assertThat(silent).as("flips that opened and lost entries").isEmpty();
    }

    @Test
    void aDamagedLengthOfTheLastRecordIsNoTornTail() throws Exception {
        Path journal = crashed();
        flip(log(journal), ends.get(BATCHES - 2) + 5, 7);

        assertThatThrownBy(() -> RocksJournal.open(journal, true)).isInstanceOf(JournalDamagedException.class);
    }

    @Test
    void aTornTailLosesOnlyTheRecordThatWasNeverAcknowledged() throws Exception {
        Path journal = crashed();
        long lastWhole = ends.get(BATCHES - 2);
        long end = ends.get(BATCHES - 1);
        for (long cut : new long[] {lastWhole + 1, lastWhole + 6, lastWhole + 7, lastWhole + 20, end - 1}) {
            Path copy = copyOf(journal, "torn-" + cut);
            try (FileChannel channel = FileChannel.open(log(copy), StandardOpenOption.WRITE)) {
                channel.truncate(cut);
            }
            assertThat(told(copy)).as("cut at %d", cut).isEqualTo(messages(BATCHES - 1));
        }
    }

    @Test
    void aTornTailIsContinuedWithoutAHole() throws Exception {
        Path journal = crashed();
        try (FileChannel channel = FileChannel.open(log(journal), StandardOpenOption.WRITE)) {
            channel.truncate(ends.get(BATCHES - 1) - 3);
        }

        try (var open = new OpenJournal(journal)) {
            var answer = open.append(Batches.of("e", "message " + BATCHES));

            assertThat(answer.executions().get(0).firstSeq()).isEqualTo(BATCHES);
            assertThat(Batches.told(open.journal, "e")).isEqualTo(messages(BATCHES));
        }
    }

    @Test
    void aRefusalSaysWhereAndWhatToDo() throws Exception {
        Path journal = crashed();
        flip(log(journal), (ends.get(4) + ends.get(5)) / 2, 0);

        assertThatThrownBy(() -> RocksJournal.open(journal, true))
                .isInstanceOf(JournalDamagedException.class)
                .hasMessageContaining(journal.toString())
                .hasMessageContaining("Restore")
                .hasMessageContaining("mv " + journal);
    }
}
