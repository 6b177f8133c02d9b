package tailrace.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;

class GunzipTest {
    private static final byte[] HALF = new byte[50_000];

    static {
        new Random(1).nextBytes(HALF); // incompressible, so that a member is longer than any buffer
    }

    private static byte[] member(byte[] plain) throws IOException {
        var out = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(out)) {
            gzip.write(plain);
        }
        return out.toByteArray();
    }

    private static byte[] join(byte[] a, byte[] b) {
        byte[] joined = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, joined, a.length, b.length);
        return joined;
    }

    @Test
    void readsEveryMember() throws Exception {
        assertThat(Gunzip.gunzip(join(member(HALF), member(HALF)), 1 << 20)).isEqualTo(join(HALF, HALF));
        assertThat(Gunzip.gunzip(member(new byte[0]), 10)).isEmpty();
    }

    @Test
    void aDamagedSecondMemberIsNotLeftOutInSilence() throws Exception {
        byte[] first = member(HALF);
        byte[] body = join(first, member(HALF));
        body[first.length] ^= 1; // its magic number

        assertThatThrownBy(() -> Gunzip.gunzip(body, 1 << 20))
                .isInstanceOfSatisfying(
                        BodyException.class, e -> assertThat(e.code()).isEqualTo("invalid_gzip"));
    }

    @Test
    void garbageBehindTheEndIsRefusedHoweverShort() throws Exception {
        for (int length : new int[] {1, 7, 18, 19, 100_000}) {
            assertThatThrownBy(() -> Gunzip.gunzip(join(member(HALF), new byte[length]), 1 << 20))
                    .as("%d bytes", length)
                    .isInstanceOf(BodyException.class);
        }
    }

    @Test
    void stopsAtTheLimit() throws Exception {
        byte[] bomb = member(new byte[10 << 20]);

        assertThatThrownBy(() -> Gunzip.gunzip(bomb, 1 << 20))
                .isInstanceOfSatisfying(
                        BodyException.class, e -> assertThat(e.status()).isEqualTo(413));
    }
}
