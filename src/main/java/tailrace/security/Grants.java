package tailrace.security;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Random texts handed out, each of which stands for a principal until a time. They are kept by their hash, so that what
 * lies in memory opens nothing. Bounded in all and for each principal. Safe for any thread; a call takes microseconds.
 */
final class Grants {
    /** 256 bits: nobody finds one by trying. */
    private static final int RANDOM_BYTES = 32;

    private static final int TEXT_CHARS = 43;

    /** Those that have ended are looked for at most so often, and when there is no room. */
    private static final long SWEEP_SECONDS = 60;

    private final int max;
    private final int maxEach;
    private final SecureRandom random = new SecureRandom();
    private final Map<String, Grant> byHash = new HashMap<>();
    private final Map<Holder, LinkedHashSet<String>> byHolder = new HashMap<>();
    private long sweptAtSeconds;

    private record Grant(Principal principal, long endsAtSeconds) {}

    /** The same person with another token is the same holder. */
    private record Holder(String subject, boolean service) {
        static Holder of(Principal principal) {
            return new Holder(principal.subject(), principal.service());
        }
    }

    /**
     * @param max in all
     * @param maxEach for one principal
     */
    Grants(int max, int maxEach) {
        this.max = max;
        this.maxEach = maxEach;
    }

    /** Whether the principal has as many as one may have. */
    synchronized boolean full(Principal principal, long nowSeconds) {
        sweepIf(nowSeconds, heldBy(principal) >= maxEach);
        return heldBy(principal) >= maxEach;
    }

    /**
     * Hands out a new text; a principal who has as many as one may have loses the oldest.
     *
     * @return empty if there is no room for anybody's
     */
    synchronized Optional<String> give(Principal principal, long endsAtSeconds, long nowSeconds) {
        sweepIf(nowSeconds, byHash.size() >= max || heldBy(principal) >= maxEach);
        LinkedHashSet<String> held = byHolder.get(Holder.of(principal));
        if (held != null && held.size() >= maxEach) {
            remove(held.iterator().next());
        }
        if (byHash.size() >= max) {
            return Optional.empty();
        }
        byte[] bytes = new byte[RANDOM_BYTES];
        random.nextBytes(bytes);
        String text = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
        String hash = sha256(text);
        byHash.put(hash, new Grant(principal, endsAtSeconds));
        byHolder.computeIfAbsent(Holder.of(principal), holder -> new LinkedHashSet<>())
                .add(hash);
        return Optional.of(text);
    }

    /** For whom a text stands now. */
    synchronized Optional<Principal> find(String text, long nowSeconds) {
        return text.length() == TEXT_CHARS ? current(byHash.get(sha256(text)), nowSeconds) : Optional.empty();
    }

    /** The same, and the text stands for nobody from now on. */
    synchronized Optional<Principal> take(String text, long nowSeconds) {
        return text.length() == TEXT_CHARS ? current(remove(sha256(text)), nowSeconds) : Optional.empty();
    }

    private static Optional<Principal> current(@Nullable Grant grant, long nowSeconds) {
        return grant == null || nowSeconds >= grant.endsAtSeconds ? Optional.empty() : Optional.of(grant.principal);
    }

    private int heldBy(Principal principal) {
        Set<String> held = byHolder.get(Holder.of(principal));
        return held == null ? 0 : held.size();
    }

    private @Nullable Grant remove(String hash) {
        Grant removed = byHash.remove(hash);
        if (removed != null) {
            Holder holder = Holder.of(removed.principal);
            byHolder.computeIfPresent(holder, (who, held) -> {
                held.remove(hash);
                return held.isEmpty() ? null : held;
            });
        }
        return removed;
    }

    private void sweepIf(long nowSeconds, boolean noRoom) {
        if (nowSeconds == sweptAtSeconds || !noRoom && nowSeconds - sweptAtSeconds < SWEEP_SECONDS) {
            return; // what ended within this second waits for the next, or a full store would be searched at each call
        }
        sweptAtSeconds = nowSeconds;
        List<String> ended = new ArrayList<>();
        byHash.forEach((hash, grant) -> {
            if (nowSeconds >= grant.endsAtSeconds) {
                ended.add(hash);
            }
        });
        ended.forEach(this::remove);
    }

    private static String sha256(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
