package tailrace.journal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.StringLength;

/** Keys of this version and of earlier ones lie apart, and in the order that ranges rely on. */
class KeysTest {
    @Property(tries = 500)
    void aKeyWithABucketLiesBehindEveryKeyWithout(
            @ForAll @StringLength(max = 255) String old,
            @ForAll @StringLength(max = 255) String id,
            @ForAll @LongRange(min = 0) long micros,
            @ForAll @LongRange(min = 0) long oldSeq,
            @ForAll @LongRange(min = 0) long seq) {
        byte[] before = Keys.entry(Keys.NO_BUCKET, Keys.utf8(old), oldSeq);
        byte[] after = Keys.entry(Keys.bucketAt(micros), Keys.utf8(id), seq);

        assertThat(Arrays.compareUnsigned(before, after)).isNegative();
        assertThat(Keys.bucketOf(before)).isEqualTo(Keys.NO_BUCKET);
        assertThat(Keys.bucketOf(after)).isEqualTo(Keys.bucketAt(micros)).isPositive();
        assertThat(Keys.seqOf(before)).isEqualTo(oldSeq);
        assertThat(Keys.seqOf(after)).isEqualTo(seq);
    }

    @Property(tries = 500)
    void whatBeganEarlierLiesBefore(
            @ForAll @IntRange(min = 1) int first,
            @ForAll @IntRange(min = 1) int second,
            @ForAll @StringLength(max = 255) String id,
            @ForAll @StringLength(max = 255) String other) {
        byte[] one = Keys.entry(Math.min(first, second), Keys.utf8(id), Long.MAX_VALUE);
        byte[] two = Keys.entry(Math.max(first, second), Keys.utf8(other), 0);

        if (first != second) {
            assertThat(Arrays.compareUnsigned(one, two)).isNegative();
        }
    }

    @Example
    void aMinuteIsABucket() {
        assertThat(Keys.bucketAt(Batches.NOW)).isEqualTo((int) (Batches.NOW / 60_000_000));
        assertThat(Keys.bucketAt(Batches.NOW + 60_000_000)).isEqualTo(Keys.bucketAt(Batches.NOW) + 1);
        assertThat(Keys.bucketAt(0)).isNotEqualTo(Keys.NO_BUCKET);
    }

    @Example
    void rangesAreJoinedWhereTheyTouchAndFurtherUntilTheyAreFew() {
        List<KeyRange> ranges =
                List.of(range(5, 6), range(1, 3), range(2, 4), range(4, 4), range(9, 10), range(20, 30));

        assertThat(KeyRange.joined(ranges, 10))
                .usingRecursiveFieldByFieldElementComparator()
                .containsExactly(range(1, 4), range(5, 6), range(9, 10), range(20, 30));
        assertThat(KeyRange.joined(ranges, 2))
                .usingRecursiveFieldByFieldElementComparator()
                .containsExactly(range(1, 6), range(9, 30));
        assertThat(KeyRange.joined(List.of(), 2)).isEmpty();
        assertThat(range(1, 3).overlaps(range(2, 9))).isTrue();
        assertThat(range(1, 3).overlaps(range(3, 9))).isFalse();
    }

    private static KeyRange range(int from, int to) {
        return new KeyRange(new byte[] {(byte) from}, new byte[] {(byte) to});
    }
}
