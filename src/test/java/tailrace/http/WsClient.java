package tailrace.http;

import io.vertx.core.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import tailrace.openapi.Contract;

/**
 * A WebSocket client on a plain socket, which can stop reading, answer no ping and send nonsense. Events are those of
 * SSE; a ping is a comment.
 */
public final class WsClient extends SseClient {
    private static final int TEXT = 1;
    private static final int CLOSE = 8;
    private static final int PING = 9;
    private static final int PONG = 10;

    /** Whether pings are answered. */
    public volatile boolean answersPings = true;

    public volatile int closeCode = -1;
    public volatile String closeReason = "";
    public volatile int pongs;

    private WsClient(Socket socket, String request) throws IOException {
        super(socket, request);
    }

    public static WsClient open(int port, String path, String... headers) {
        WsClient client = paused(port, path, 0, headers);
        if (client.status() == 101) {
            client.read();
        }
        return client;
    }

    public static WsClient paused(int port, String path, int receiveBuffer, String... headers) {
        var request = new StringBuilder("GET " + path + " HTTP/1.1\r\nHost: localhost:" + port + "\r\n"
                + "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n");
        for (String header : headers) {
            request.append(header).append("\r\n");
        }
        try {
            return new WsClient(
                    connect(port, receiveBuffer), request.append("\r\n").toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    void check(String data) {
        Contract.served().socketMessage(data);
    }

    @Override
    void readAll() {
        try {
            DataInputStream data = new DataInputStream(in);
            while (true) {
                int first = data.readUnsignedByte();
                int second = data.readUnsignedByte();
                long length = second & 0x7f;
                length = length == 126 ? data.readUnsignedShort() : length == 127 ? data.readLong() : length;
                byte[] payload = data.readNBytes((int) length);
                if (payload.length < length) {
                    throw new IOException("cut off within a frame");
                }
                if ((first & 0xf0) != 0x80 || (second & 0x80) != 0) {
                    throw new AssertionError("not a frame of ours: " + first + " " + second + " " + length);
                }
                if (!take(first & 0xf, payload)) {
                    break;
                }
            }
        } catch (IOException e) {
            // the connection broke, which is an end like any other
        }
        events.add(new Event(null, null, null, false, true));
    }

    private boolean take(int opcode, byte[] payload) throws IOException {
        switch (opcode) {
            case TEXT -> {
                String text = new String(payload, StandardCharsets.UTF_8);
                JsonObject json = new JsonObject(text);
                @Nullable Long id = json.getLong("id");
                events.add(new Event(id == null ? null : id.toString(), text, null, false, false));
            }
            case PING -> {
                events.add(new Event(null, null, null, true, false));
                if (answersPings) {
                    send(PONG, payload);
                }
            }
            case PONG -> pongs++;
            case CLOSE -> {
                closeCode = payload.length < 2 ? 1005 : (payload[0] & 0xff) << 8 | payload[1] & 0xff;
                closeReason =
                        payload.length < 2 ? "" : new String(payload, 2, payload.length - 2, StandardCharsets.UTF_8);
                send(CLOSE, payload);
                return false;
            }
            default -> throw new AssertionError("opcode " + opcode);
        }
        return true;
    }

    /** Sends a frame, masked as a client's must be. */
    public synchronized void send(int opcode, byte[] payload) throws IOException {
        var frame = new ByteArrayOutputStream();
        frame.write(0x80 | opcode);
        if (payload.length < 126) {
            frame.write(0x80 | payload.length);
        } else {
            frame.write(0x80 | 126);
            frame.write(payload.length >> 8);
            frame.write(payload.length);
        }
        byte[] mask = {1, 2, 3, 4};
        frame.writeBytes(mask);
        for (int i = 0; i < payload.length; i++) {
            frame.write(payload[i] ^ mask[i % 4]);
        }
        sendRaw(frame.toByteArray());
    }

    public void sendRaw(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
    }

    /** Waits until the server has closed and says with which code. */
    public int closedWith() {
        untilEnd();
        return closeCode;
    }
}
