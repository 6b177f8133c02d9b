package tailrace.ingest;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.zip.GZIPInputStream;

/** Decompression that stops at a limit, so that a small body cannot become a large one in memory. */
public final class Gunzip {
    private static final int BUFFER_BYTES = 16 << 10;

    private Gunzip() {}

    /** The library takes whatever cannot be a further member for padding, and a damaged member with it: entries lost. */
    private static final class Members extends GZIPInputStream {
        private static final int TRAILER_BYTES = 8;

        /** With all of the body in its buffer, what is left over at the end can be told. */
        Members(byte[] body) throws IOException {
            super(new ByteArrayInputStream(body), Math.max(body.length, 1));
        }

        boolean readWhole() {
            return inf.getRemaining() == TRAILER_BYTES;
        }
    }

    /**
     * @param maxBytes of the decompressed body
     * @throws BodyException 400 if it is not whole and valid gzip, 413 if it is larger
     */
    public static byte[] gunzip(byte[] body, int maxBytes) throws BodyException {
        var out = new ByteArrayOutputStream(Math.min(maxBytes, body.length * 8));
        byte[] buffer = new byte[BUFFER_BYTES];
        try (var in = new Members(body)) {
            for (int read; (read = in.read(buffer)) >= 0; ) {
                if (out.size() + read > maxBytes) {
                    throw new BodyException(
                            413,
                            "body_too_large",
                            "The body has more than " + maxBytes + " bytes once decompressed. Send it in parts.");
                }
                out.write(buffer, 0, read);
            }
            if (!in.readWhole()) {
                throw new IOException("there is something else behind its end");
            }
        } catch (IOException e) {
            throw new BodyException(
                    400,
                    "invalid_gzip",
                    "Content-Encoding says gzip, but the body is not whole and valid gzip: "
                            + Values.oneLine(String.valueOf(e.getMessage())) + ".");
        }
        return out.toByteArray();
    }
}
