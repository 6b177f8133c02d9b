package tailrace.security;

/**
 * Who asks, by a token that was verified.
 *
 * @param subject the token's {@code sub}; "" if a service token has none
 * @param service whether {@code role} is {@code service_role}: writes and reads all
 * @param expiresAtSeconds the token's {@code exp}, epoch seconds
 */
public record Principal(String subject, boolean service, long expiresAtSeconds) {
    /** Under which a request carries it. */
    public static final String KEY = "principal";
}
