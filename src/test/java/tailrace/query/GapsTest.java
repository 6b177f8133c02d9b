package tailrace.query;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import tailrace.query.Coverage.Gap;
import tailrace.query.Coverage.Reason;

/** However many gaps there are, they cost little memory, and none is forgotten. */
class GapsTest {
    @Property(tries = 30)
    void nothingMissingIsEverForgotten(@ForAll Random random) {
        var all = new ArrayList<Gap>();
        long seq = 1;
        for (int i = 0; i < 20_000; i++) {
            long from = seq + 2 + random.nextInt(5);
            seq = from + random.nextInt(4);
            all.add(new Gap(from, seq, random.nextInt(4) == 0 ? Reason.LOST : Reason.TECHNICAL_EXPIRED));
        }
        if (random.nextBoolean()) {
            Collections.reverse(all);
        }
        var gaps = new Gaps();
        all.forEach(gap -> gaps.addAll(List.of(gap)));
        List<Gap> kept = gaps.ascending().toList();
        assertThat(kept.size()).isLessThanOrEqualTo(2 * Gaps.MAX_OF_A_REASON);
        for (Reason reason : List.of(Reason.LOST, Reason.TECHNICAL_EXPIRED)) {
            List<Gap> ours = kept.stream().filter(gap -> gap.reason() == reason).toList();
            int at = 0;
            all.sort(java.util.Comparator.comparingLong(Gap::fromSeq));
            for (Gap gap : all) {
                if (gap.reason() == reason) {
                    while (ours.get(at).toSeq() < gap.fromSeq()) {
                        at++;
                    }
                    assertThat(ours.get(at).fromSeq()).isLessThanOrEqualTo(gap.fromSeq());
                    assertThat(ours.get(at).toSeq()).isGreaterThanOrEqualTo(gap.toSeq());
                }
            }
        }
    }

    @Example
    void asManyAsAPageCanHaveStayExact() {
        var gaps = new Gaps();
        var all = new ArrayList<Gap>();
        for (long i = 1; i <= Gaps.MAX_OF_A_REASON; i++) {
            all.add(new Gap(2 * i, 2 * i, Reason.EXPIRED));
        }
        gaps.addAll(all);
        assertThat(gaps.ascending()).containsExactlyElementsOf(all);
    }
}
