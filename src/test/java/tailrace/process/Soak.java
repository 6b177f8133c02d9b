package tailrace.process;

import java.time.Duration;

/** {@code mvn verify -Psoak} lets the proofs of this package run at full length. */
final class Soak {
    private static final boolean ON = Boolean.getBoolean("tailrace.soak");

    private Soak() {}

    static boolean on() {
        return ON;
    }

    static Duration seconds(int normally, int soaking) {
        return Duration.ofSeconds(ON ? soaking : normally);
    }

    static int times(int normally, int soaking) {
        return ON ? soaking : normally;
    }
}
