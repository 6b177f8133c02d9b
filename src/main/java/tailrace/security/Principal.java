package tailrace.security;

/**
 * Who asks, by a token that was verified.
 *
 * @param subject the token's {@code sub}; "" if a service token has none
 * @param service whether {@code role} is {@code service_role}: writes and reads all
 * @param expiresAtSeconds the token's {@code exp}, epoch seconds
 * @param sender tells one sender from another where who sends most is looked for: the subject, else the token's
 *     {@code jti}, else a fingerprint of it
 */
public record Principal(String subject, boolean service, long expiresAtSeconds, String sender) {
    /** One who is known by a subject. */
    public Principal(String subject, boolean service, long expiresAtSeconds) {
        this(subject, service, expiresAtSeconds, "sub:" + subject);
    }

    /** One who may see nothing. */
    public static final Principal NOBODY = new Principal("", false, Long.MAX_VALUE);

    /** The server itself, for what it has to know; what it reads so is shown to nobody who was not let in. */
    public static final Principal SERVER = new Principal("", true, Long.MAX_VALUE);

    /** The same for all tokens that see the same. */
    public String reader() {
        return service ? "service" : "sub:" + subject;
    }

    /** Under which a request carries it. */
    public static final String KEY = "principal";
}
